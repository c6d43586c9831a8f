foreach(name monitor_judge monitor_health monitor_lag monitor_backoff monitor_facts monitor_board monitor_catalog
             monitor_reach monitor_galera monitor_drain monitor_failover_begin monitor_failover_wait)
  tillway_unit(${name} LINKS tw_monitor)
endforeach()

# Failover in a simulated cluster, over many seeded schedules of faults: optimised in each build, as it takes its time.
set(SIMULATOR ${UNIT_DIR}/failover_world.c ${UNIT_DIR}/failover_orders.c)
tillway_unit(monitor_failover LINKS tw_monitor SOURCES ${SIMULATOR})
set_source_files_properties(${SIMULATOR} TARGET_DIRECTORY unit_monitor_failover PROPERTIES COMPILE_OPTIONS -O2)
set_tests_properties(unit_monitor_failover PROPERTIES TIMEOUT 600)

# With a probe that the test plays.
tillway_unit(monitor_doubt LINKS tw_base SOURCES ${PROJECT_SOURCE_DIR}/monitor/doubt.c)
tillway_unit(monitor_enrol LINKS tw_base SOURCES ${PROJECT_SOURCE_DIR}/monitor/enrol.c)
tillway_unit(monitor_clients LINKS tw_base SOURCES ${PROJECT_SOURCE_DIR}/monitor/clients.c)
tillway_unit(monitor_epochs LINKS tw_base SOURCES ${PROJECT_SOURCE_DIR}/monitor/enrol.c ${PROJECT_SOURCE_DIR}/monitor/epochs.c)
