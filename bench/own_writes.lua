-- Each session writes a row of its own, then reads it: the read must see the write.
sysbench.cmdline.options = {
   tables = {"not used", 1},
   table_size = {"rows of sbtest1", 100000},
}

local ROWS = 1000

function thread_init()
   con = sysbench.sql.driver():connect()
   turn = 0
end

function thread_done()
   con:disconnect()
end

function event()
   local id = sysbench.tid * ROWS + turn % ROWS + 1
   local seen

   turn = turn + 1
   con:query(string.format("UPDATE sbtest1 SET k = %d WHERE id = %d", turn, id))
   seen = tonumber(con:query_row(string.format("SELECT k FROM sbtest1 WHERE id = %d", id)))
   if seen ~= turn then
      error(string.format("stale: row %d has %d where %d was written", id, seen, turn))
   end
end
