-- Each session writes a row of its own, then reads it: the read must see the write.
-- --sum-rows=N: it reads a sum over so many rows that include the one written, as a receipt does; those are the session's own, too.
sysbench.cmdline.options = {
   tables = {"not used", 1},
   table_size = {"rows of sbtest1", 100000},
   sum_rows = {"rows that a read sums up; 0: it reads the row alone", 0},
}

local ROWS, WINDOW = 1000, 100 -- of a session, where there are enough for all; the windows that are summed up divide them
local VALUES_A_SECOND = 10000

-- The values that the session's rows have, by their places; as the primary has them.
local function own_rows()
   local answer = con:query(string.format("SELECT k FROM sbtest1 WHERE id BETWEEN %d AND %d ORDER BY id FOR UPDATE", first, first + rows - 1))
   local values = {}

   for i = 0, answer.nrows - 1 do
      values[i] = tonumber(answer:fetch_row()[1])
   end
   return values
end

function thread_init()
   con = sysbench.sql.driver():connect()
   -- no two runs write the same values: an UPDATE that changes nothing is no write
   turn = os.time() % 100000 * VALUES_A_SECOND
   rows = math.min(ROWS, math.floor(sysbench.opt.table_size / sysbench.opt.threads / WINDOW) * WINDOW)
   assert(rows > 0, "the table has fewer rows than its sessions need")
   first = sysbench.tid * rows + 1
   if sysbench.opt.sum_rows > 0 then
      written = own_rows()
   end
end

function thread_done()
   con:disconnect()
end

local function row()
   local id = first + turn % rows

   return string.format("SELECT k FROM sbtest1 WHERE id = %d", id), turn
end

-- Of the window of rows that begins at a multiple of their number.
local function sum()
   local n = sysbench.opt.sum_rows
   local at = turn % rows
   local from = at - at % n
   local expected = 0

   written[at] = turn
   for i = from, from + n - 1 do
      expected = expected + written[i]
   end
   return string.format("SELECT SUM(k) FROM sbtest1 WHERE id BETWEEN %d AND %d", first + from, first + from + n - 1), expected
end

function event()
   local query, expected, seen

   turn = turn + 1
   con:query(string.format("UPDATE sbtest1 SET k = %d WHERE id = %d", turn, first + turn % rows))
   if sysbench.opt.sum_rows > 0 then
      query, expected = sum()
   else
      query, expected = row()
   end
   seen = tonumber(con:query_row(query))
   if seen ~= expected then
      error(string.format("stale: %s says %s where %s was written", query, seen, expected))
   end
end
