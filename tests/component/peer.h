/* One end of a connection that a test plays by hand, step by step: it sends exact bytes, waits for
 * exact bytes, is silent, is cut off. The test's thread plays all peers of a scene in turn, as a
 * script reads; the worker under test runs in its own thread. So nothing is left to chance but
 * time, and no step waits longer than PEER_STEP_MS: then the test fails and shows the bytes that
 * came.
 *
 * Functions named after what a peer hears fail the test where something else comes. A span they
 * answer is valid until the peer's next step. */
#ifndef COMPONENT_PEER_H
#define COMPONENT_PEER_H

#include "base/buf.h"
#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { PEER_STEP_MS = 5000 };

/* What stands between a peer's words and the bytes of its connection. `bytes` that are not taken
 * yet are left for the next time. */
struct peer_veil {
    void *ctx;
    void (*out)(void *ctx, struct span words, struct buf *bytes);
    void (*in)(void *ctx, struct buf *bytes, struct buf *words);
    void (*free)(void *ctx);
};

struct peer {
    struct peer *next;     /* all of the process */
    struct peer_veil veil; /* `in` NULL: none */
    struct buf raw;        /* came, behind the veil still */
    bool crumbs;           /* sends byte by byte */
    char name[32];         /* for messages */
    int fd;
    struct buf in;      /* came, not yet taken */
    struct buf packet;  /* the payload of the last packet */
    uint8_t seq;        /* of the last packet, in whichever direction */
    uint64_t caps;      /* negotiated */
    uint32_t thread_id; /* as the greeting said */
    uint8_t nonce[20];
    int guards; /* heard by a server: see server_hears */
};

/* Takes over the descriptor. */
struct peer *peer_new(int fd, const char *name);
/* Close the connection: what was not read is lost, as with a process that died. */
void peer_cut(struct peer *p);
/* The same by RST. */
void peer_reset(struct peer *p);
/* No more will be sent; what comes can still be heard. */
void peer_hang_up(struct peer *p);
/* Of all peers, at the end of a test. */
void peer_free_all(void);

void peer_send(struct peer *p, struct span bytes);
/* The same past the veil. */
void peer_send_raw(struct peer *p, struct span bytes);
/* One packet with the next sequence number. */
void peer_send_packet(struct peer *p, struct span payload);
/* As many of the bytes as go out until the other side takes no more for 150 ms; how many. */
size_t peer_pour(struct peer *p, struct span bytes);

/* The next n bytes. */
struct span peer_hears_bytes(struct peer *p, size_t n);
/* The next packet; it must bear the next sequence number. */
struct span peer_hears_packet(struct peer *p);
/* The first byte of the next packet, which is yet to be heard. */
uint8_t peer_peeks(struct peer *p);
/* The first packet of a command: sequence number 0. */
struct span peer_hears_first(struct peer *p);
/* The other side closed, and sent nothing before. */
void peer_hears_end(struct peer *p);
/* Nothing comes for so long, not even the end. */
void peer_hears_nothing(struct peer *p, int ms);

/* `from` sends `bytes` while `to` reads, in small bites with pauses where `slow`, and hears exactly
 * `expected`. */
void peer_flow(struct peer *from, struct span bytes, struct peer *to, struct span expected,
               bool slow);

/* Fail the test with the peer's name, the reason and the bytes at hand. */
/* What COM_STMT_EXECUTE says of a statement of no parameters; the caller frees it. */
struct buf peer_execution(uint32_t id);
_Noreturn void peer_fail(const struct peer *p, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A literal's bytes, NULs included; ROW_BYTES in the initialiser of a static table. */
#define ROW_BYTES(literal)                               \
    {                                                    \
        (const uint8_t *)(literal), sizeof(literal) - 1, \
    }
#define BYTES(literal) ((struct span)ROW_BYTES(literal))

#endif
