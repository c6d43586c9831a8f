foreach(name asks assigned lexer fingerprint tables own reads refused spots statements several template untracked
             verdicts)
  tillway_unit(sql_${name} LINKS tw_sql)
endforeach()
