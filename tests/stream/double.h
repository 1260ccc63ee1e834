/*
 * A double as text, in the fewest digits that read back as the same double: as C writes it, and as Java (so
 * Spark, and headrace's JSON) does.
 */
#ifndef STREAM_DOUBLE_H
#define STREAM_DOUBLE_H

enum { DOUBLE_TEXT = 32 };   /* room for any of them */

void double_as_c(char text[DOUBLE_TEXT], double);      /* 578579.74, 42, 1.2983715399999994e+08 */
void double_as_java(char text[DOUBLE_TEXT], double);   /* 578579.74, 42.0, 1.2983715399999994E8 */

#endif
