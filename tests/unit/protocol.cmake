foreach(name packet attributes auth auth_ed25519 auth_sha2 gtid handshake ok stmt reply reply_columns reply_kind reply_cuts reply_digest rows tracking proxy_header compress)
  tillway_unit(protocol_${name} LINKS tw_protocol)
endforeach()
target_link_libraries(unit_protocol_compress PRIVATE PkgConfig::zlib PkgConfig::zstd)
