tillway_fuzz(binlog_event LINKS tw_protocol)
tillway_fuzz(binlog_rows LINKS tw_protocol)
