foreach(name keyset ddl foreign_key behind value mapping plan document touch debt directory order sum fold join window page_cache validator)
  tillway_unit(mirror_${name} LINKS tw_mirror)
endforeach()
