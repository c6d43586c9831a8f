/* "Did you mean": the word of a list that a mistyped one is nearest to. */
#ifndef CONF_HINT_H
#define CONF_HINT_H

/* Insertions, deletions, replacements and swaps of neighbours from a to b; words over 63 bytes are
 * far from everything (64). */
unsigned conf_hint_distance(const char *a, const char *b);
/* Of a NULL-terminated list, or NULL where nothing is near enough to be meant. */
const char *conf_hint_nearest(const char *word, const char *const *words);

#endif
