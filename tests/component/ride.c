#include "component/ride.h"

const char ride_read_sql[] = "SELECT a FROM t";
const char ride_other_sql[] = "SELECT b FROM t WHERE c=2";

void ride_answers(struct peer *server, const char *sql, const char *value, struct peer *till)
{
    server_hears_query(server, sql);
    server_says_rows(server, value);
    (void)client_hears_rows(till, value);
}

void ride_gets_known(struct peer *till, struct peer *server, const char *sql, int times)
{
    for (int i = 0; i < times; i++) {
        client_asks(till, sql);
        ride_answers(server, sql, "1", till);
    }
}

void ride_both_board(struct ride *ride)
{
    client_asks(ride->first, ride_read_sql);
    server_hears_query(ride->line, ride_read_sql);
    client_asks(ride->second, ride_other_sql);
    server_hears_query(ride->line, ride_other_sql);
}

void ride_line_says_rows(struct ride *ride, const char *value)
{
    ride->line->seq = 0;
    server_says_rows(ride->line, value);
}

void ride_both_are_answered(struct ride *ride)
{
    ride_line_says_rows(ride, "1");
    ride_line_says_rows(ride, "2");
    (void)client_hears_rows(ride->first, "1");
    (void)client_hears_rows(ride->second, "2");
}

void ride_both(struct ride *ride)
{
    ride_both_board(ride);
    ride_both_are_answered(ride);
}
