/* file_spark.h: the files of source and sink as Spark's reader and writer take them. */
#ifndef HR_FILE_SPARK_H
#define HR_FILE_SPARK_H

#include <headrace/plugin.h>

struct file_spark {
    int format;
    const struct hr_sql *schema;     /* as it stands in the file */
    const struct hr_schema *columns;
    bool header;
    const char *delimiter;
    int on_error;
    const char *path;                /* in Python */
};

/* Behind "spark.readStream": options, the reader, and what makes headrace's rows of Spark's. */
bool file_spark_read(struct hr_spark *, const struct file_spark *);
/* Behind the rows for csv: Spark would write small decimals with an exponent. False: there are none that could be. */
bool file_spark_plain_decimals(struct hr_spark *);

#endif
