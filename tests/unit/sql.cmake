foreach(name asks assigned lexer fingerprint tables own prepared reads refused spots statements several template untracked
             verdicts)
  tillway_unit(sql_${name} LINKS tw_sql)
endforeach()
