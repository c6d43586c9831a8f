/* How threads meet: messages put into a queue, a uv_async that wakes the receiver's loop.
 *
 * A message is a small heap object that begins with `struct message`; `run` is called once on the
 * receiver's thread and frees it. Messages of one sender arrive in order. */
#ifndef PROXY_MAILBOX_H
#define PROXY_MAILBOX_H

#include "base/compiler.h"

#include <pthread.h>
#include <stdbool.h>
#include <uv.h>

struct message {
    struct message *next;
    void (*run)(struct message *m, void *receiver);
};

struct mailbox {
    uv_async_t async;
    pthread_mutex_t lock;
    struct message *head; /* under lock */
    struct message *tail; /* under lock */
    bool closed;          /* under lock */
    void *receiver;
};

bool mailbox_init(struct mailbox *m, uv_loop_t *loop, void *receiver) MUST_CHECK;
/* Any thread. False once the mailbox is closed: the caller keeps (and frees) the message. */
bool mailbox_send(struct mailbox *m, struct message *message) MUST_CHECK;
/* The receiver's thread: runs what is still queued, then takes no more. */
void mailbox_close(struct mailbox *m);

#endif
