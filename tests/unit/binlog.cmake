foreach(name event table row value query group)
  tillway_unit(protocol_binlog_${name} LINKS tw_protocol m)
endforeach()
