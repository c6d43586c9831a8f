/* Numbers of the MySQL/MariaDB protocol. Sources: https://mariadb.com/kb/en/connection/,
 * https://mariadb.com/kb/en/2-text-protocol/, https://mariadb.com/kb/en/ok_packet/. */
#ifndef PROTOCOL_CONSTS_H
#define PROTOCOL_CONSTS_H

#include "protocol/errors.h"

#include <stdint.h>

enum { PACKET_HEADER = 4, PACKET_MAX_PAYLOAD = 0xFFFFFF, PROTOCOL_VERSION = 10 };

/* Capability flags. MySQL's CLIENT_LONG_PASSWORD is bit 0; a MariaDB server leaves it unset ("I am
 * not MySQL") and then the extended capabilities (bits 32 and up) stand in the greeting's filler.
 */
#define CAP_CLIENT_MYSQL         (1ULL << 0)
#define CAP_FOUND_ROWS           (1ULL << 1)
#define CAP_LONG_FLAG            (1ULL << 2)
#define CAP_CONNECT_WITH_DB      (1ULL << 3)
#define CAP_NO_SCHEMA            (1ULL << 4)
#define CAP_COMPRESS             (1ULL << 5)
#define CAP_ODBC                 (1ULL << 6)
#define CAP_LOCAL_FILES          (1ULL << 7)
#define CAP_IGNORE_SPACE         (1ULL << 8)
#define CAP_PROTOCOL_41          (1ULL << 9)
#define CAP_INTERACTIVE          (1ULL << 10)
#define CAP_SSL                  (1ULL << 11)
#define CAP_IGNORE_SIGPIPE       (1ULL << 12)
#define CAP_TRANSACTIONS         (1ULL << 13)
#define CAP_RESERVED             (1ULL << 14)
#define CAP_SECURE_CONNECTION    (1ULL << 15)
#define CAP_MULTI_STATEMENTS     (1ULL << 16)
#define CAP_MULTI_RESULTS        (1ULL << 17)
#define CAP_PS_MULTI_RESULTS     (1ULL << 18)
#define CAP_PLUGIN_AUTH          (1ULL << 19)
#define CAP_CONNECT_ATTRS        (1ULL << 20)
#define CAP_PLUGIN_AUTH_LENENC   (1ULL << 21)
#define CAP_EXPIRED_PASSWORDS    (1ULL << 22)
#define CAP_SESSION_TRACK        (1ULL << 23)
#define CAP_DEPRECATE_EOF        (1ULL << 24)
#define CAP_ZSTD                 (1ULL << 26)
#define CAP_MARIADB_PROGRESS     (1ULL << 32)
#define CAP_MARIADB_COM_MULTI    (1ULL << 33)
#define CAP_MARIADB_BULK         (1ULL << 34)
#define CAP_MARIADB_EXTENDED     (1ULL << 35)
#define CAP_MARIADB_CACHE_META   (1ULL << 36)
#define CAP_MARIADB_BULK_RESULTS (1ULL << 37)

/* Status flags in OK and EOF packets. */
enum {
    STATUS_IN_TRANS = 0x0001,
    STATUS_AUTOCOMMIT = 0x0002,
    STATUS_MORE_RESULTS = 0x0008,
    STATUS_NO_GOOD_INDEX_USED = 0x0010,
    STATUS_NO_INDEX_USED = 0x0020,
    STATUS_CURSOR_EXISTS = 0x0040,
    STATUS_LAST_ROW_SENT = 0x0080,
    STATUS_DB_DROPPED = 0x0100,
    STATUS_NO_BACKSLASH_ESCAPES = 0x0200,
    STATUS_METADATA_CHANGED = 0x0400,
    STATUS_QUERY_WAS_SLOW = 0x0800,
    STATUS_PS_OUT_PARAMS = 0x1000,
    STATUS_IN_TRANS_READONLY = 0x2000,
    STATUS_SESSION_STATE_CHANGED = 0x4000,
    STATUS_ANSI_QUOTES = 0x8000,
    /* those that describe the session rather than the statement before */
    STATUS_LASTING = STATUS_IN_TRANS | STATUS_AUTOCOMMIT | STATUS_NO_BACKSLASH_ESCAPES |
                     STATUS_IN_TRANS_READONLY | STATUS_ANSI_QUOTES,
};

enum command {
    COM_SLEEP = 0x00,
    COM_QUIT = 0x01,
    COM_INIT_DB = 0x02,
    COM_QUERY = 0x03,
    COM_FIELD_LIST = 0x04,
    COM_CREATE_DB = 0x05,
    COM_DROP_DB = 0x06,
    COM_REFRESH = 0x07,
    COM_SHUTDOWN = 0x08,
    COM_STATISTICS = 0x09,
    COM_PROCESS_INFO = 0x0A,
    COM_CONNECT = 0x0B,
    COM_PROCESS_KILL = 0x0C,
    COM_DEBUG = 0x0D,
    COM_PING = 0x0E,
    COM_TIME = 0x0F,
    COM_DELAYED_INSERT = 0x10,
    COM_CHANGE_USER = 0x11,
    COM_BINLOG_DUMP = 0x12,
    COM_TABLE_DUMP = 0x13,
    COM_CONNECT_OUT = 0x14,
    COM_REGISTER_SLAVE = 0x15,
    COM_STMT_PREPARE = 0x16,
    COM_STMT_EXECUTE = 0x17,
    COM_STMT_SEND_LONG_DATA = 0x18,
    COM_STMT_CLOSE = 0x19,
    COM_STMT_RESET = 0x1A,
    COM_SET_OPTION = 0x1B,
    COM_STMT_FETCH = 0x1C,
    COM_DAEMON = 0x1D,
    COM_RESET_CONNECTION = 0x1F,
    COM_STMT_BULK_EXECUTE = 0xFA,
    COM_MULTI = 0xFE,
};

#endif
