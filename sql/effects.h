/* What a statement does to its session, or asks of it, as bits of sql_class.effects. */
#ifndef SQL_EFFECTS_H
#define SQL_EFFECTS_H

/* Beyond what the server's session tracking says by itself. */
enum {
    SQL_EFFECT_OPAQUE =
        1 << 0, /* runs code the text does not show: CALL, EXECUTE, compound statements, unknown */
    SQL_EFFECT_USER_VARIABLE = 1 << 1, /* may assign @v */
    SQL_EFFECT_TEMPORARY = 1 << 2,     /* CREATE/DROP TEMPORARY … */
    SQL_EFFECT_LOCK =
        1 << 3, /* LOCK TABLES, GET_LOCK(), FLUSH … WITH READ LOCK, HANDLER OPEN, BACKUP */
    SQL_EFFECT_ROLE = 1 << 4,    /* SET ROLE */
    SQL_EFFECT_PREPARE = 1 << 5, /* SQL-level PREPARE / DEALLOCATE */
    SQL_EFFECT_XA = 1 << 6,
    SQL_EFFECT_UNLOCK = 1 << 7,        /* UNLOCK TABLES, RELEASE_LOCK… */
    SQL_EFFECT_SET = 1 << 8,           /* SET of system variables: tracked by the server */
    SQL_EFFECT_ASKS_WARNINGS = 1 << 9, /* SHOW WARNINGS/ERRORS, GET DIAGNOSTICS, @@warning_count,
                                          @@error_count: about a statement before */
    SQL_EFFECT_UNTRACKED =
        1 << 10, /* changes variables otherwise than the server reports: SET CHARACTER SET, SET
                    NAMES DEFAULT, SET @@name: see sql/untracked.h */
    SQL_EFFECT_NAMES_IDS = 1 << 11,       /* may name connections by id: see sql/spots.h */
    SQL_EFFECT_ASKS_ROW_COUNT = 1 << 12,  /* ROW_COUNT(): about the statement before */
    SQL_EFFECT_ASKS_FOUND_ROWS = 1 << 13, /* FOUND_ROWS(): about the SELECT before */
    SQL_EFFECT_RESTORES = 1 << 14, /* SET STATEMENT: the server reports the values of the moment,
                                      not that those before are back behind it */
    SQL_EFFECT_TRACKING = 1 << 15, /* may show or set session_track_… */
    SQL_EFFECT_STATUS = 1 << 16,   /* FLUSH STATUS, SHOW STATUS: looks at the session's counters */
    SQL_EFFECT_REPORTED = 1 << 17, /* OPAQUE, but its code is known: what it leaves the server
                                      reports, but for locks (GET_LOCK) and user variables */
    SQL_EFFECTS_ASKS =
        SQL_EFFECT_ASKS_WARNINGS | SQL_EFFECT_ASKS_ROW_COUNT | SQL_EFFECT_ASKS_FOUND_ROWS,
};

#endif
