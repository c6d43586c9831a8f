foreach(name reply handshake auth ok stmt gtid proxy_header compress)
  tillway_fuzz(${name} LINKS tw_protocol)
endforeach()
