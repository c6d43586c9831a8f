# Of proxy/ only what needs no loop; the rest is tests/component/.
foreach(name coalesce history line newest prepared replay_log)
  tillway_unit(proxy_${name} LINKS tw_proxy)
endforeach()
