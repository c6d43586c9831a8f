foreach(name topology catalog causal causal_world objects vars route balance rules waits)
  tillway_unit(routing_${name} LINKS tw_routing)
endforeach()
