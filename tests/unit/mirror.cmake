foreach(name keyset ddl behind value mapping plan document touch)
  tillway_unit(mirror_${name} LINKS tw_mirror)
endforeach()
