foreach(name monitor_judge monitor_health monitor_lag monitor_backoff monitor_facts monitor_board monitor_catalog)
  tillway_unit(${name} LINKS tw_monitor)
endforeach()
