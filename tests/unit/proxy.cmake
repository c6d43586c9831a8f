tillway_unit(proxy_replay_log LINKS tw_proxy)
