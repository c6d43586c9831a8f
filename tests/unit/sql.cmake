foreach(name assigned lexer fingerprint tables own reads refused spots statements several)
  tillway_unit(sql_${name} LINKS tw_sql)
endforeach()
