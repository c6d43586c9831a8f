tillway_fuzz(conf LINKS tw_conf)
