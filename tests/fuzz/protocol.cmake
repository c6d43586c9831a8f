foreach(name reply handshake ok stmt gtid)
  tillway_fuzz(${name} LINKS tw_protocol)
endforeach()
