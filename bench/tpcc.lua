-- The five transactions of TPC-C in their mix, over two small warehouses and without thinking times: its shape, not its figures.
sysbench.cmdline.options = {
   tables = {"not used", 1},
   table_size = {"not used", 1},
}

local WAREHOUSES, DISTRICTS, CUSTOMERS, ITEMS, ORDERS = 2, 10, 300, 2000, 50
local ROWS = 500 -- of one INSERT

local SCHEMA = {
   [[tpcc_warehouse (w_id INT PRIMARY KEY, w_tax INT NOT NULL, w_ytd BIGINT NOT NULL)]],
   [[tpcc_district (w_id INT, d_id INT, d_tax INT NOT NULL, d_ytd BIGINT NOT NULL, d_next INT NOT NULL, PRIMARY KEY (w_id, d_id))]],
   [[tpcc_customer (w_id INT, d_id INT, c_id INT, c_last VARCHAR(16) NOT NULL, c_discount INT NOT NULL, c_balance BIGINT NOT NULL,
     c_payments INT NOT NULL, c_data VARCHAR(250) NOT NULL, PRIMARY KEY (w_id, d_id, c_id), KEY (w_id, d_id, c_last))]],
   [[tpcc_history (h_id BIGINT AUTO_INCREMENT PRIMARY KEY, w_id INT, d_id INT, c_id INT, h_amount INT, h_date DATETIME)]],
   [[tpcc_orders (w_id INT, d_id INT, o_id INT, c_id INT NOT NULL, o_entry DATETIME NOT NULL, o_carrier INT, o_lines INT NOT NULL,
     PRIMARY KEY (w_id, d_id, o_id), KEY (w_id, d_id, c_id, o_id))]],
   [[tpcc_new_order (w_id INT, d_id INT, o_id INT, PRIMARY KEY (w_id, d_id, o_id))]],
   [[tpcc_order_line (w_id INT, d_id INT, o_id INT, l_number INT, i_id INT NOT NULL, l_delivered DATETIME, l_quantity INT NOT NULL,
     l_amount BIGINT NOT NULL, PRIMARY KEY (w_id, d_id, o_id, l_number))]],
   [[tpcc_item (i_id INT PRIMARY KEY, i_name VARCHAR(24) NOT NULL, i_price INT NOT NULL)]],
   [[tpcc_stock (w_id INT, i_id INT, s_quantity INT NOT NULL, s_ytd BIGINT NOT NULL, s_data VARCHAR(50) NOT NULL, PRIMARY KEY (w_id, i_id))]],
}

local bit = require("bit")

local SYLLABLES = {"BAR", "OUGHT", "ABLE", "PRI", "PRES", "ESE", "ANTI", "CALLY", "ATION", "EING"}

local con

local function any(from, to)
   return sysbench.rand.uniform(from, to)
end

-- Some of them far more often than others, as TPC-C's NURand.
local function often(spread, most)
   return bit.bor(any(0, spread), any(1, most)) % most + 1
end

local function last_name(n)
   return SYLLABLES[math.floor(n / 100) + 1] .. SYLLABLES[math.floor(n / 10) % 10 + 1] .. SYLLABLES[n % 10 + 1]
end

local function run(form, ...)
   return con:query(form:format(...))
end

local function number(form, ...)
   return tonumber(con:query_row(form:format(...)))
end

-- ---- the tables ----

local function fill(table_name, rows)
   for from = 1, #rows, ROWS do
      con:query("INSERT INTO " .. table_name .. " VALUES " .. table.concat(rows, ",", from, math.min(from + ROWS - 1, #rows)))
   end
end

local function fill_district(w, d)
   local customers, orders, lines, new = {}, {}, {}, {}

   for c = 1, CUSTOMERS do
      customers[c] = ("(%d,%d,%d,'%s',%d,-1000,1,REPEAT('x',200))"):format(w, d, c, last_name(c % 1000), any(0, 50))
   end
   for o = 1, ORDERS do
      local count = any(5, 15)

      orders[o] = ("(%d,%d,%d,%d,NOW(),%s,%d)"):format(w, d, o, any(1, CUSTOMERS), o > ORDERS - 10 and "NULL" or any(1, 10), count)
      for l = 1, count do
         lines[#lines + 1] = ("(%d,%d,%d,%d,%d,NULL,5,%d)"):format(w, d, o, l, any(1, ITEMS), any(1, 999999))
      end
      if o > ORDERS - 10 then
         new[#new + 1] = ("(%d,%d,%d)"):format(w, d, o)
      end
   end
   run("INSERT INTO tpcc_district VALUES (%d,%d,%d,0,%d)", w, d, any(0, 20), ORDERS + 1)
   fill("tpcc_customer", customers)
   fill("tpcc_orders", orders)
   fill("tpcc_order_line", lines)
   fill("tpcc_new_order", new)
end

local function fill_warehouse(w)
   local stock = {}

   for i = 1, ITEMS do
      stock[i] = ("(%d,%d,%d,0,REPEAT('s',40))"):format(w, i, any(10, 100))
   end
   run("INSERT INTO tpcc_warehouse VALUES (%d,%d,0)", w, any(0, 20))
   fill("tpcc_stock", stock)
   for d = 1, DISTRICTS do
      fill_district(w, d)
   end
end

function prepare()
   local items = {}

   con = sysbench.sql.driver():connect()
   for _, definition in ipairs(SCHEMA) do
      con:query("CREATE TABLE " .. definition)
   end
   for i = 1, ITEMS do
      items[i] = ("(%d,'item %d',%d)"):format(i, i, any(100, 10000))
   end
   fill("tpcc_item", items)
   for w = 1, WAREHOUSES do
      fill_warehouse(w)
   end
   con:disconnect()
end

-- ---- the transactions ----

local function place()
   return any(1, WAREHOUSES), any(1, DISTRICTS)
end

-- Most customers are known by name: of several the one in the middle.
local function customer(w, d)
   local name = last_name(often(127, CUSTOMERS) % 1000)
   local count = any(1, 100) <= 60 and number("SELECT COUNT(*) FROM tpcc_customer WHERE w_id=%d AND d_id=%d AND c_last='%s'", w, d, name) or 0

   if count == 0 then
      return often(127, CUSTOMERS)
   end
   return number("SELECT c_id FROM tpcc_customer WHERE w_id=%d AND d_id=%d AND c_last='%s' ORDER BY c_id LIMIT %d,1", w, d, name,
                 math.floor(count / 2))
end

-- Items in the order of their numbers, so that two of these rarely wait for each other in a ring; each once.
local function basket()
   local items, taken = {}, {}

   for _ = 1, any(5, 15) do
      local i = often(1023, ITEMS)

      if not taken[i] then
         taken[i] = true
         items[#items + 1] = i
      end
   end
   table.sort(items)
   return items
end

local function order_line(w, d, o, l, i)
   local price, quantity = number("SELECT i_price FROM tpcc_item WHERE i_id=%d", i), any(1, 10)
   local left = number("SELECT s_quantity FROM tpcc_stock WHERE w_id=%d AND i_id=%d FOR UPDATE", w, i)

   run("UPDATE tpcc_stock SET s_quantity=%d, s_ytd=s_ytd+%d WHERE w_id=%d AND i_id=%d",
       left >= quantity + 10 and left - quantity or left - quantity + 91, quantity, w, i)
   run("INSERT INTO tpcc_order_line VALUES (%d,%d,%d,%d,%d,NULL,%d,%d)", w, d, o, l, i, quantity, quantity * price)
end

local function new_order()
   local w, d = place()
   local c, items = often(127, CUSTOMERS), basket()
   local o

   con:query("BEGIN")
   run("SELECT c_discount, c_last, w_tax FROM tpcc_customer c JOIN tpcc_warehouse w ON w.w_id=c.w_id WHERE c.w_id=%d AND d_id=%d AND c_id=%d",
       w, d, c)
   o = number("SELECT d_next FROM tpcc_district WHERE w_id=%d AND d_id=%d FOR UPDATE", w, d)
   run("UPDATE tpcc_district SET d_next=%d WHERE w_id=%d AND d_id=%d", o + 1, w, d)
   run("INSERT INTO tpcc_orders VALUES (%d,%d,%d,%d,NOW(),NULL,%d)", w, d, o, c, #items)
   run("INSERT INTO tpcc_new_order VALUES (%d,%d,%d)", w, d, o)
   for l, i in ipairs(items) do
      order_line(w, d, o, l, i)
   end
   con:query(any(1, 100) == 1 and "ROLLBACK" or "COMMIT") -- one in a hundred has an item that does not exist
end

local function payment()
   local w, d = place()
   local amount = any(100, 500000)
   local c

   con:query("BEGIN")
   run("UPDATE tpcc_warehouse SET w_ytd=w_ytd+%d WHERE w_id=%d", amount, w)
   run("UPDATE tpcc_district SET d_ytd=d_ytd+%d WHERE w_id=%d AND d_id=%d", amount, w, d)
   c = customer(w, d)
   run("UPDATE tpcc_customer SET c_balance=c_balance-%d, c_payments=c_payments+1 WHERE w_id=%d AND d_id=%d AND c_id=%d", amount, w, d, c)
   run("INSERT INTO tpcc_history (w_id,d_id,c_id,h_amount,h_date) VALUES (%d,%d,%d,%d,NOW())", w, d, c, amount)
   con:query("COMMIT")
end

local function order_status()
   local w, d = place()
   local c = customer(w, d)
   local o = number("SELECT COALESCE(MAX(o_id),0) FROM tpcc_orders WHERE w_id=%d AND d_id=%d AND c_id=%d", w, d, c)

   run("SELECT c_balance FROM tpcc_customer WHERE w_id=%d AND d_id=%d AND c_id=%d", w, d, c)
   run("SELECT i_id, l_quantity, l_amount, l_delivered FROM tpcc_order_line WHERE w_id=%d AND d_id=%d AND o_id=%d", w, d, o)
end

local function deliver(w, d)
   local o = number("SELECT COALESCE(MIN(o_id),0) FROM tpcc_new_order WHERE w_id=%d AND d_id=%d FOR UPDATE", w, d)

   if o == 0 then
      return
   end
   run("DELETE FROM tpcc_new_order WHERE w_id=%d AND d_id=%d AND o_id=%d", w, d, o)
   run("UPDATE tpcc_orders SET o_carrier=%d WHERE w_id=%d AND d_id=%d AND o_id=%d", any(1, 10), w, d, o)
   run("UPDATE tpcc_order_line SET l_delivered=NOW() WHERE w_id=%d AND d_id=%d AND o_id=%d", w, d, o)
   run("UPDATE tpcc_customer c JOIN tpcc_orders o ON o.w_id=c.w_id AND o.d_id=c.d_id AND o.c_id=c.c_id SET c_balance=c_balance+" ..
       "(SELECT SUM(l_amount) FROM tpcc_order_line l WHERE l.w_id=o.w_id AND l.d_id=o.d_id AND l.o_id=o.o_id)" ..
       " WHERE o.w_id=%d AND o.d_id=%d AND o.o_id=%d", w, d, o)
end

local function delivery()
   local w = any(1, WAREHOUSES)

   con:query("BEGIN")
   for d = 1, DISTRICTS do
      deliver(w, d)
   end
   con:query("COMMIT")
end

local function stock_level()
   local w, d = place()
   local o = number("SELECT d_next FROM tpcc_district WHERE w_id=%d AND d_id=%d", w, d)

   run("SELECT COUNT(DISTINCT s.i_id) FROM tpcc_order_line l JOIN tpcc_stock s ON s.w_id=l.w_id AND s.i_id=l.i_id" ..
       " WHERE l.w_id=%d AND l.d_id=%d AND l.o_id>=%d AND s.s_quantity<%d", w, d, o - 20, any(10, 20))
end

function thread_init()
   con = sysbench.sql.driver():connect()
end

function thread_done()
   con:disconnect()
end

function event()
   local turn = any(1, 100)

   if turn <= 45 then
      new_order()
   elseif turn <= 88 then
      payment()
   elseif turn <= 92 then
      order_status()
   elseif turn <= 96 then
      delivery()
   else
      stock_level()
   end
end
