/* utf8.h: one sequence at a time, for the files of this folder. */
#ifndef HR_UTF8_H
#define HR_UTF8_H

#include "core/data/value.h"

size_t utf8_length(const unsigned char *p, size_t n);

#endif
