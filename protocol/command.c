#include "protocol/command.h"

static const struct command_info refused = {"unknown", REPLY_SINGLE, COMMAND_REFUSED, false, false};

static const struct command_info commands[256] = {
    [COM_QUIT] = {"COM_QUIT", REPLY_NONE, COMMAND_KNOWN, false, false},
    [COM_INIT_DB] = {"COM_INIT_DB", REPLY_SINGLE, COMMAND_KNOWN, false, false},
    [COM_QUERY] = {"COM_QUERY", REPLY_RESULT, COMMAND_KNOWN, false, false},
    [COM_FIELD_LIST] = {"COM_FIELD_LIST", REPLY_FIELDS, COMMAND_KNOWN, false, false},
    [COM_REFRESH] = {"COM_REFRESH", REPLY_SINGLE, COMMAND_PRIMARY, false, false},
    [COM_SHUTDOWN] = {"COM_SHUTDOWN", REPLY_SINGLE, COMMAND_PRIMARY, false, false},
    [COM_STATISTICS] = {"COM_STATISTICS", REPLY_TEXT, COMMAND_PRIMARY, false, false},
    [COM_PROCESS_INFO] = {"COM_PROCESS_INFO", REPLY_RESULT, COMMAND_PRIMARY, false, false},
    [COM_PROCESS_KILL] = {"COM_PROCESS_KILL", REPLY_SINGLE, COMMAND_KNOWN, false, false},
    [COM_DEBUG] = {"COM_DEBUG", REPLY_SINGLE, COMMAND_PRIMARY, false, false},
    [COM_PING] = {"COM_PING", REPLY_SINGLE, COMMAND_KNOWN, false, false},
    [COM_CHANGE_USER] = {"COM_CHANGE_USER", REPLY_SINGLE, COMMAND_KNOWN, false, false},
    /* Events come as packets up to an EOF, as rows do. */
    [COM_BINLOG_DUMP] = {"COM_BINLOG_DUMP", REPLY_ROWS, COMMAND_PRIMARY, false, true},
    [COM_REGISTER_SLAVE] = {"COM_REGISTER_SLAVE", REPLY_SINGLE, COMMAND_PRIMARY, false, true},
    [COM_STMT_PREPARE] = {"COM_STMT_PREPARE", REPLY_PREPARE, COMMAND_KNOWN, false, false},
    [COM_STMT_EXECUTE] = {"COM_STMT_EXECUTE", REPLY_RESULT, COMMAND_KNOWN, true, false},
    [COM_STMT_SEND_LONG_DATA] = {"COM_STMT_SEND_LONG_DATA", REPLY_NONE, COMMAND_KNOWN, true, false},
    [COM_STMT_CLOSE] = {"COM_STMT_CLOSE", REPLY_NONE, COMMAND_KNOWN, true, false},
    [COM_STMT_RESET] = {"COM_STMT_RESET", REPLY_SINGLE, COMMAND_KNOWN, true, false},
    [COM_SET_OPTION] = {"COM_SET_OPTION", REPLY_SINGLE, COMMAND_KNOWN, false, false},
    [COM_STMT_FETCH] = {"COM_STMT_FETCH", REPLY_ROWS, COMMAND_KNOWN, true, false},
    [COM_RESET_CONNECTION] = {"COM_RESET_CONNECTION", REPLY_SINGLE, COMMAND_KNOWN, false, false},
    [COM_STMT_BULK_EXECUTE] = {"COM_STMT_BULK_EXECUTE", REPLY_RESULT, COMMAND_KNOWN, true, false},
};

const struct command_info *command_of(uint8_t command)
{
    const struct command_info *c = &commands[command];

    return c->name ? c : &refused;
}
