foreach(name monitor_judge monitor_health monitor_lag monitor_backoff monitor_facts monitor_board monitor_catalog
             monitor_reach monitor_galera monitor_drain)
  tillway_unit(${name} LINKS tw_monitor)
endforeach()

# Failover in a simulated cluster, over many seeded schedules of faults.
tillway_unit(monitor_failover LINKS tw_monitor SOURCES ${UNIT_DIR}/failover_world.c ${UNIT_DIR}/failover_orders.c)
set_tests_properties(unit_monitor_failover PROPERTIES TIMEOUT 600)

# With a probe that the test plays.
tillway_unit(monitor_doubt LINKS tw_base SOURCES ${PROJECT_SOURCE_DIR}/monitor/doubt.c)
