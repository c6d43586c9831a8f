foreach(name packet auth gtid handshake ok stmt command reply reply_cuts proxy_header)
  tillway_unit(protocol_${name} LINKS tw_protocol)
endforeach()
