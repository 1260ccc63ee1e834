/* console_text.h: text that a terminal may be shown. */
#ifndef HR_CONSOLE_TEXT_H
#define HR_CONSOLE_TEXT_H

#include <headrace/plugin.h>

/* Append the text with what could steer a terminal written out: control characters as \n, \t, \x1b, ...,
 * bytes that are not UTF-8 as U+FFFD. Returns how many columns it takes; wide characters take two, as
 * Spark counts them. At most `most` characters (0: all), the last three of them "..." where cut. */
int console_text(struct hr_buffer *, const char *p, size_t n, int most);

#endif
