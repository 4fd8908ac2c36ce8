#include "store/month.h"

/* The calendar repeats itself every 400 years, which are 146097 days. Years begin in March here, so that the day that
 * leap years add is the last one of its year. Both directions are Howard Hinnant's, "chrono-Compatible Low-Level Date
 * Algorithms" (civil_from_days and days_from_civil), without the days of months. */
enum { DAYS_OF_ERA = 146097, YEARS_OF_ERA = 400, MONTHS = 12, DAYS_TO_MARCH_OF_YEAR_0 = 719468, FIRST_YEAR = 1970 };
#define DAY_MS INT64_C(86400000)

static int64_t divide_down(int64_t number, int64_t by) {
    return number / by - (number % by < 0 ? 1 : 0);
}

int64_t store_month_of(int64_t wall_ms) {
    const int64_t days = divide_down(wall_ms, DAY_MS) + DAYS_TO_MARCH_OF_YEAR_0;
    const int64_t era = divide_down(days, DAYS_OF_ERA), day_of_era = days - era * DAYS_OF_ERA;
    const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t from_march = (5 * day_of_year + 2) / 153; /* 0 is March, 11 February of the next year */
    return (era * YEARS_OF_ERA + year_of_era - FIRST_YEAR) * MONTHS + from_march + 2;
}

int64_t store_month_start(int64_t month) {
    const int64_t from_march = month + FIRST_YEAR * MONTHS - 2; /* months since March of the year 0 */
    const int64_t year = divide_down(from_march, MONTHS), era = divide_down(year, YEARS_OF_ERA);
    const int64_t year_of_era = year - era * YEARS_OF_ERA;
    const int64_t day_of_year = (153 * (from_march - year * MONTHS) + 2) / 5;
    const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (era * DAYS_OF_ERA + day_of_era - DAYS_TO_MARCH_OF_YEAR_0) * DAY_MS;
}
