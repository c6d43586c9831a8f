foreach(name lexer fingerprint tables reads refused spots statements several)
  tillway_unit(sql_${name} LINKS tw_sql)
endforeach()
