/* The words a statement is recognised by, in one list. A name that is none of these is a TOK_NAME.
 *
 * What the server keeps for itself (reserved) can stand for nothing else unless quoted; the others
 * count only in the places where the grammar has them (the start of a statement, after SET, …).
 *
 * Each word with its first, middle (letter n/2) and last letter and its length n: these give its
 * place in a table that holds no two words in one place. Where a new word falls on another's place
 * the compiler says so (an element initialised twice); then other factors have to be found.
 *
 * PAREN: a '(' behind the word is no call of a function. */
#ifndef SQL_WORDS_H
#define SQL_WORDS_H

enum { WORD_PLAIN = 0, WORD_PAREN = 1 };

enum { WORD_PLACES = 1024, WORD_MAX = 19 };

#define WORD_PLACE(first, middle, last, n)                                             \
    ((((first) | 0x20u) * 315u + ((middle) | 0x20u) * 574u + ((last) | 0x20u) * 332u + \
      (unsigned)(n)*93u) %                                                             \
     WORD_PLACES)

/* clang-format off */
#define SQL_WORDS(X) \
    X(AGAINST, 'a', 'i', 't', 7, PAREN) X(ALL, 'a', 'l', 'l', 3, PAREN) \
    X(ALTER, 'a', 't', 'r', 5, PLAIN) X(ANALYZE, 'a', 'l', 'e', 7, PAREN) \
    X(AND, 'a', 'n', 'd', 3, PAREN) X(ANY, 'a', 'n', 'y', 3, PAREN) \
    X(AS, 'a', 's', 's', 2, PAREN) X(ATOMIC, 'a', 'm', 'c', 6, PLAIN) \
    X(BACKUP, 'b', 'k', 'p', 6, PLAIN) X(BEGIN, 'b', 'g', 'n', 5, PLAIN) \
    X(BETWEEN, 'b', 'w', 'n', 7, PAREN) X(BINLOG, 'b', 'l', 'g', 6, PLAIN) \
    X(BY, 'b', 'y', 'y', 2, PAREN) X(CACHE, 'c', 'c', 'e', 5, PLAIN) \
    X(CALL, 'c', 'l', 'l', 4, PLAIN) X(CASE, 'c', 's', 'e', 4, PAREN) \
    X(CHANGE, 'c', 'n', 'e', 6, PLAIN) X(CHARACTER, 'c', 'a', 'r', 9, PLAIN) \
    X(CHARSET, 'c', 'r', 't', 7, PLAIN) X(CHECK, 'c', 'e', 'k', 5, PLAIN) \
    X(CHECKSUM, 'c', 'k', 'm', 8, PLAIN) X(COLLATE, 'c', 'l', 'e', 7, PLAIN) \
    X(COLUMNS, 'c', 'u', 's', 7, PAREN) X(COMMIT, 'c', 'm', 't', 6, PLAIN) \
    X(CONNECTION, 'c', 'c', 'n', 10, PLAIN) X(CREATE, 'c', 'a', 'e', 6, PLAIN) \
    X(CURRENT_ROLE, 'c', 't', 'e', 12, PLAIN) X(CURRENT_USER, 'c', 't', 'r', 12, PLAIN) \
    X(DEALLOCATE, 'd', 'o', 'e', 10, PLAIN) X(DECLARE, 'd', 'l', 'e', 7, PLAIN) \
    X(DEFAULT, 'd', 'a', 't', 7, PLAIN) X(DELETE, 'd', 'e', 'e', 6, PLAIN) \
    X(DESC, 'd', 's', 'c', 4, PAREN) X(DESCRIBE, 'd', 'r', 'e', 8, PAREN) \
    X(DISTINCT, 'd', 'i', 't', 8, PAREN) X(DISTINCTROW, 'd', 'n', 'w', 11, PAREN) \
    X(DIV, 'd', 'i', 'v', 3, PAREN) X(DO, 'd', 'o', 'o', 2, PLAIN) \
    X(DROP, 'd', 'o', 'p', 4, PLAIN) X(ELSE, 'e', 's', 'e', 4, PAREN) \
    X(END, 'e', 'n', 'd', 3, PLAIN) X(ERRORS, 'e', 'o', 's', 6, PLAIN) \
    X(EVENT, 'e', 'e', 't', 5, PLAIN) X(EXCEPT, 'e', 'e', 't', 6, PAREN) \
    X(EXECUTE, 'e', 'c', 'e', 7, PLAIN) X(EXISTS, 'e', 's', 's', 6, PAREN) \
    X(EXPLAIN, 'e', 'l', 'n', 7, PAREN) X(EXPORT, 'e', 'o', 't', 6, PLAIN) \
    X(EXTENDED, 'e', 'n', 'd', 8, PLAIN) X(FLUSH, 'f', 'u', 'h', 5, PLAIN) \
    X(FOR, 'f', 'o', 'r', 3, PLAIN) X(FORMAT, 'f', 'm', 't', 6, PLAIN) \
    X(FROM, 'f', 'o', 'm', 4, PAREN) X(FUNCTION, 'f', 't', 'n', 8, PLAIN) \
    X(GET, 'g', 'e', 't', 3, PLAIN) X(GRANT, 'g', 'a', 't', 5, PLAIN) \
    X(GROUP, 'g', 'o', 'p', 5, PAREN) X(HANDLER, 'h', 'd', 'r', 7, PLAIN) \
    X(HARD, 'h', 'r', 'd', 4, PLAIN) X(HAVING, 'h', 'i', 'g', 6, PAREN) \
    X(HELP, 'h', 'l', 'p', 4, PLAIN) X(IF, 'i', 'f', 'f', 2, PLAIN) \
    X(IN, 'i', 'n', 'n', 2, PAREN) X(INDEX, 'i', 'd', 'x', 5, PAREN) \
    X(INSERT, 'i', 'e', 't', 6, PLAIN) X(INSTALL, 'i', 't', 'l', 7, PLAIN) \
    X(INTERSECT, 'i', 'r', 't', 9, PAREN) X(INTO, 'i', 't', 'o', 4, PLAIN) \
    X(JOIN, 'j', 'i', 'n', 4, PAREN) X(KEY, 'k', 'e', 'y', 3, PAREN) \
    X(KILL, 'k', 'l', 'l', 4, PLAIN) X(LATERAL, 'l', 'e', 'l', 7, PAREN) \
    X(LIKE, 'l', 'k', 'e', 4, PAREN) X(LIMIT, 'l', 'm', 't', 5, PAREN) \
    X(LOAD, 'l', 'a', 'd', 4, PLAIN) X(LOCK, 'l', 'c', 'k', 4, PLAIN) \
    X(LOOP, 'l', 'o', 'p', 4, PLAIN) X(MATCH, 'm', 't', 'h', 5, PAREN) \
    X(NAMES, 'n', 'm', 's', 5, PLAIN) X(NEXT, 'n', 'x', 't', 4, PLAIN) \
    X(NOT, 'n', 'o', 't', 3, PAREN) X(ON, 'o', 'n', 'n', 2, PAREN) \
    X(OPEN, 'o', 'e', 'n', 4, PLAIN) X(OPTIMIZE, 'o', 'm', 'e', 8, PLAIN) \
    X(OR, 'o', 'r', 'r', 2, PAREN) X(OVER, 'o', 'e', 'r', 4, PAREN) \
    X(PACKAGE, 'p', 'k', 'e', 7, PLAIN) X(PARTITION, 'p', 'i', 'n', 9, PAREN) \
    X(PARTITIONS, 'p', 't', 's', 10, PLAIN) X(PASSWORD, 'p', 'w', 'd', 8, PLAIN) \
    X(PREPARE, 'p', 'p', 'e', 7, PLAIN) X(PREVIOUS, 'p', 'i', 's', 8, PLAIN) \
    X(PROCEDURE, 'p', 'e', 'e', 9, PLAIN) X(PURGE, 'p', 'r', 'e', 5, PLAIN) \
    X(QUERY, 'q', 'e', 'y', 5, PLAIN) X(RECURSIVE, 'r', 'r', 'e', 9, PLAIN) \
    X(REGEXP, 'r', 'e', 'p', 6, PAREN) X(RELEASE, 'r', 'e', 'e', 7, PLAIN) \
    X(RENAME, 'r', 'a', 'e', 6, PLAIN) X(REPAIR, 'r', 'a', 'r', 6, PLAIN) \
    X(REPEAT, 'r', 'e', 't', 6, PLAIN) X(REPLACE, 'r', 'l', 'e', 7, PLAIN) \
    X(RESET, 'r', 's', 't', 5, PLAIN) X(RESIGNAL, 'r', 'g', 'l', 8, PLAIN) \
    X(REVOKE, 'r', 'o', 'e', 6, PLAIN) X(RLIKE, 'r', 'i', 'e', 5, PAREN) \
    X(ROLE, 'r', 'l', 'e', 4, PLAIN) X(ROLLBACK, 'r', 'b', 'k', 8, PLAIN) \
    X(ROW, 'r', 'o', 'w', 3, PAREN) X(SAVEPOINT, 's', 'p', 't', 9, PLAIN) \
    X(SELECT, 's', 'e', 't', 6, PAREN) X(SET, 's', 'e', 't', 3, PLAIN) \
    X(SHARE, 's', 'a', 'e', 5, PLAIN) X(SHOW, 's', 'o', 'w', 4, PLAIN) \
    X(SHUTDOWN, 's', 'd', 'n', 8, PLAIN) X(SIGNAL, 's', 'n', 'l', 6, PLAIN) \
    X(SOFT, 's', 'f', 't', 4, PLAIN) X(SOME, 's', 'm', 'e', 4, PAREN) \
    X(SQL_CALC_FOUND_ROWS, 's', 'f', 's', 19, PLAIN) X(START, 's', 'a', 't', 5, PLAIN) \
    X(STATEMENT, 's', 'e', 't', 9, PLAIN) X(STOP, 's', 'o', 'p', 4, PLAIN) \
    X(STRAIGHT_JOIN, 's', 'h', 'n', 13, PAREN) X(TABLE, 't', 'b', 'e', 5, PLAIN) \
    X(TEMPORARY, 't', 'o', 'y', 9, PLAIN) X(THEN, 't', 'e', 'n', 4, PAREN) \
    X(TO, 't', 'o', 'o', 2, PLAIN) X(TRANSACTION, 't', 'a', 'n', 11, PLAIN) \
    X(TRIGGER, 't', 'g', 'r', 7, PLAIN) X(TRUNCATE, 't', 'c', 'e', 8, PLAIN) \
    X(UNINSTALL, 'u', 's', 'l', 9, PLAIN) X(UNION, 'u', 'i', 'n', 5, PAREN) \
    X(UNLOCK, 'u', 'o', 'k', 6, PLAIN) X(UPDATE, 'u', 'a', 'e', 6, PLAIN) \
    X(USE, 'u', 's', 'e', 3, PLAIN) X(USING, 'u', 'i', 'g', 5, PAREN) \
    X(VALUE, 'v', 'l', 'e', 5, PLAIN) X(VALUES, 'v', 'u', 's', 6, PAREN) \
    X(WARNINGS, 'w', 'i', 's', 8, PLAIN) X(WHEN, 'w', 'e', 'n', 4, PAREN) \
    X(WHERE, 'w', 'e', 'e', 5, PAREN) X(WHILE, 'w', 'i', 'e', 5, PLAIN) \
    X(WITH, 'w', 't', 'h', 4, PLAIN) X(XA, 'x', 'a', 'a', 2, PLAIN) \
    X(XOR, 'x', 'o', 'r', 3, PAREN)
/* clang-format on */

#endif
