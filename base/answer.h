/* What a part of the daemon answers to a person who asked: lines of text, and how it ended. Its
 * last line, and no other, says that it is the last. */
#ifndef BASE_ANSWER_H
#define BASE_ANSWER_H

enum answer_line {
    ANSWER_MORE,   /* others follow */
    ANSWER_DONE,   /* the last; "" where there is nothing more to say */
    ANSWER_FAILED, /* the last: nothing came of it, and this is why */
};

/* `text` may have several lines; it is the caller's. */
typedef void (*answer_fn)(void *ctx, const char *text, enum answer_line line);

#endif
