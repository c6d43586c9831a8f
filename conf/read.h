/* Nodes into a struct, as the schema says. */
#ifndef CONF_READ_H
#define CONF_READ_H

#include "conf/conf.h"

/* Fill every field that the schema names, defaults included; texts and arrays belong to the
 * document. False with `e` set at the first thing that is off. */
bool conf_read(struct conf_doc *d, struct conf *c, struct err *e) MUST_CHECK;

#endif
