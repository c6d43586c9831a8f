foreach(name lexer reads refused statements several)
  tillway_unit(sql_${name} LINKS tw_sql)
endforeach()
