-- One event: connect, log in, SELECT 1, quit.
sysbench.cmdline.options = {
   tables = {"not used", 1},
   table_size = {"not used", 1},
}

function thread_init()
   drv = sysbench.sql.driver()
end

function event()
   local con = drv:connect()

   con:query("SELECT 1")
   con:disconnect()
end
