/* The tables behind protocol/charset. */
#ifndef PROTOCOL_CHARSET_TABLE_H
#define PROTOCOL_CHARSET_TABLE_H

#include <stdint.h>

enum charset {
    CHARSET_UNKNOWN,
    CHARSET_ASCII,
    /* 8 bits, with an upper half of their own */
    CHARSET_ARMSCII8,
    CHARSET_CP1250,
    CHARSET_CP1251,
    CHARSET_CP1256,
    CHARSET_CP1257,
    CHARSET_CP850,
    CHARSET_CP852,
    CHARSET_CP866,
    CHARSET_DEC8,
    CHARSET_GEOSTD8,
    CHARSET_GREEK,
    CHARSET_HEBREW,
    CHARSET_HP8,
    CHARSET_KEYBCS2,
    CHARSET_KOI8R,
    CHARSET_KOI8U,
    CHARSET_LATIN1,
    CHARSET_LATIN2,
    CHARSET_LATIN5,
    CHARSET_LATIN7,
    CHARSET_MACCE,
    CHARSET_MACROMAN,
    CHARSET_SWE7, /* seven bits: letters in the place of brackets */
    CHARSET_TIS620,
    CHARSET_SINGLE_BYTE, /* how many so far */
    CHARSET_UCS2,
    CHARSET_UTF16,
    CHARSET_UTF16LE,
    CHARSET_UTF32,
    CHARSET_BIG5,
    CHARSET_CP932,
    CHARSET_EUCJPMS,
    CHARSET_EUCKR,
    CHARSET_GB2312,
    CHARSET_GBK,
    CHARSET_SJIS,
    CHARSET_UJIS,
    CHARSET_BINARY,
    CHARSET_UTF8MB3,
    CHARSET_UTF8MB4,
    CHARSET_COUNT
};

extern const uint16_t charset_upper[CHARSET_SINGLE_BYTE][128];
extern const uint8_t charset_of_collation[100];

#endif
