tillway_fuzz(classify LINKS tw_sql)
