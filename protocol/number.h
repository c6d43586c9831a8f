/* Floating-point numbers as MariaDB prints them: the fewest digits that give the same value back
 * (FLOAT: at most 6), whole numbers from 1e15 with an exponent. */
#ifndef PROTOCOL_NUMBER_H
#define PROTOCOL_NUMBER_H

/* Sign, "0.", 14 zeros, 17 digits, NUL, and some. */
enum { NUMBER_TEXT_MAX = 40 };

void number_double_text(double v, char out[NUMBER_TEXT_MAX]);
void number_float_text(float v, char out[NUMBER_TEXT_MAX]);

#endif
