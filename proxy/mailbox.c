#include "proxy/mailbox.h"

static struct message *take_all(struct mailbox *m)
{
    struct message *head;

    (void)pthread_mutex_lock(&m->lock);
    head = m->head;
    m->head = m->tail = NULL;
    (void)pthread_mutex_unlock(&m->lock);
    return head;
}

static void deliver(struct mailbox *m)
{
    struct message *next;

    for (struct message *message = take_all(m); message; message = next) {
        next = message->next;
        message->run(message, m->receiver);
    }
}

static void on_async(uv_async_t *async)
{
    deliver(async->data);
}

bool mailbox_init(struct mailbox *m, uv_loop_t *loop, void *receiver)
{
    m->head = m->tail = NULL;
    m->closed = false;
    m->receiver = receiver;
    m->async.data = m;
    return pthread_mutex_init(&m->lock, NULL) == 0 && uv_async_init(loop, &m->async, on_async) == 0;
}

bool mailbox_send(struct mailbox *m, struct message *message)
{
    bool open;

    message->next = NULL;
    (void)pthread_mutex_lock(&m->lock);
    open = !m->closed;
    if (open && m->tail)
        m->tail->next = message;
    else if (open)
        m->head = message;
    if (open) {
        m->tail = message;
        (void)uv_async_send(&m->async);
    }
    (void)pthread_mutex_unlock(&m->lock);
    return open;
}

void mailbox_close(struct mailbox *m)
{
    (void)pthread_mutex_lock(&m->lock);
    m->closed = true;
    (void)pthread_mutex_unlock(&m->lock);
    deliver(m);
    uv_close((uv_handle_t *)&m->async, NULL);
}
