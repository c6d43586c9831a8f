-- Tills of the POS database (pos/): half of what they do is to sell, the rest is to look things up.
sysbench.cmdline.options = {
   tables = {"not used", 1},
   table_size = {"not used", 1},
}

function thread_init()
   con = sysbench.sql.driver():connect()
   customers = tonumber(con:query_row("SELECT MAX(id) FROM pos.Customer"))
   products = tonumber(con:query_row("SELECT MAX(id) FROM pos.Product"))
end

function thread_done()
   con:disconnect()
end

local function any(most)
   return sysbench.rand.uniform(1, most)
end

-- A product may come twice: quantities add up.
local function sell()
   local items = {}

   for i = 1, any(4) do
      items[i] = string.format('{"product_id":%d,"quantity":%d}', any(products), any(3))
   end
   con:query(string.format("CALL pos.place_order(%d, '[%s]', @placed)", any(customers), table.concat(items, ",")))
   con:query("SELECT @placed")
end

local function history()
   con:query(string.format("SELECT o.id, o.datePlaced, l.product_id, l.quantity FROM pos.`Order` o JOIN pos.Orderline l ON l.order_id = o.id" ..
                           " WHERE o.customer_id = %d ORDER BY o.id DESC LIMIT 20", any(customers)))
end

local function shelf()
   con:query(string.format("SELECT name, currentPrice, availableQuantity FROM pos.Product WHERE id = %d", any(products)))
end

function event()
   local turn = any(4)

   if turn <= 2 then
      sell()
   elseif turn == 3 then
      history()
   else
      shelf()
   end
end
