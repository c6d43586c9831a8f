foreach(name conf_value conf_hint conf_node conf_load conf_bad conf_secret conf_examples conf_reference conf_network)
  tillway_unit(${name} LINKS tw_conf)
endforeach()
