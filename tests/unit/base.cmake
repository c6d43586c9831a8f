foreach(name cursor buf err clock state log)
  tillway_unit(base_${name} LINKS tw_base)
endforeach()
