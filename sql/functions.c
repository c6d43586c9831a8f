#include "sql/functions.h"

/* The functions of MariaDB 10.11 by name, sorted: what is not here may be a stored function.
 *
 * Only what reads its arguments and nothing else is pure (the clock, random numbers and the default
 * schema go along with a session). Not here: DEFAULT(), for a default may take the next value of a
 * sequence; POINT(), POLYGON() and their likes, which give way to stored functions. Types are
 * listed for CAST(x AS DECIMAL(10,2)). */
#define ENTRY(name, kind, effects) {#name, sizeof(#name) - 1, kind, effects},
#define PURE(name)                 ENTRY(name, FUNCTION_PURE, 0)
#define GLUED(name)                ENTRY(name, FUNCTION_GLUED, 0)
#define TABLE(name)                ENTRY(name, FUNCTION_TABLE, 0)
#define SERVER(name)               ENTRY(name, FUNCTION_SERVER, 0)
#define SESSION(name)              ENTRY(name, FUNCTION_SESSION, 0)
#define SEQUENCE(name)             ENTRY(name, FUNCTION_SEQUENCE, 0)
#define EFFECT(name, kind, effect) ENTRY(name, FUNCTION_##kind, SQL_EFFECT_##effect)

/* clang-format off */
static const struct sql_function functions[] = {
    PURE(abs) PURE(acos) GLUED(add_months) GLUED(adddate) PURE(addtime) PURE(aes_decrypt)
    PURE(aes_encrypt) PURE(area) PURE(asbinary) PURE(ascii) PURE(asin) PURE(astext) PURE(aswkb)
    PURE(aswkt) PURE(atan) PURE(atan2) PURE(avg) PURE(benchmark) PURE(bigint) PURE(bin) PURE(binary)
    SERVER(binlog_gtid_pos) GLUED(bit_and) PURE(bit_count) PURE(bit_length) GLUED(bit_or)
    GLUED(bit_xor) PURE(boundary) PURE(buffer) GLUED(cast) PURE(ceil) PURE(ceiling) PURE(centroid)
    PURE(char) PURE(char_length) PURE(character_length) PURE(charset) PURE(chr) PURE(coalesce)
    PURE(coercibility) PURE(collation) PURE(column_add) PURE(column_check) PURE(column_create)
    PURE(column_delete) PURE(column_exists) PURE(column_get) PURE(column_json) PURE(column_list)
    PURE(compress) PURE(concat) PURE(concat_ws) EFFECT(connection_id, SESSION, NAMES_IDS) PURE(contains) PURE(conv)
    PURE(convert) PURE(convert_tz) PURE(convexhull) PURE(cos) PURE(cot) GLUED(count) PURE(crc32)
    PURE(crc32c) PURE(crosses) GLUED(cume_dist) GLUED(curdate) PURE(current_date)
    SERVER(current_role) PURE(current_time) PURE(current_timestamp) SERVER(current_user)
    GLUED(curtime) PURE(database) PURE(date) GLUED(date_add) PURE(date_format) GLUED(date_sub)
    PURE(datediff) PURE(datetime) PURE(day) PURE(dayname) PURE(dayofmonth) PURE(dayofweek)
    PURE(dayofyear) PURE(dec) PURE(decimal) GLUED(decode) PURE(decode_histogram) PURE(degrees)
    GLUED(dense_rank) PURE(des_decrypt) PURE(des_encrypt) PURE(dimension) PURE(disjoint)
    PURE(double) PURE(elt) PURE(encode) PURE(encrypt) PURE(endpoint) PURE(envelope) PURE(equals)
    PURE(exp) PURE(export_set) PURE(exteriorring) GLUED(extract) PURE(extractvalue) PURE(field)
    PURE(find_in_set) GLUED(first_value) PURE(float) PURE(floor) PURE(format)
    EFFECT(found_rows, SESSION, ASKS_FOUND_ROWS) PURE(from_base64) PURE(from_days) PURE(from_unixtime)
    PURE(geomcollfromtext) PURE(geomcollfromwkb) PURE(geometrycollectionfromtext)
    PURE(geometrycollectionfromwkb) PURE(geometryfromtext) PURE(geometryfromwkb) PURE(geometryn)
    PURE(geometrytype) PURE(geomfromtext) PURE(geomfromwkb) PURE(get_format)
    EFFECT(get_lock, SESSION, LOCK) PURE(glength) PURE(greatest) GLUED(group_concat) PURE(hex)
    PURE(hour) PURE(if) PURE(ifnull) PURE(inet6_aton) PURE(inet6_ntoa) PURE(inet_aton)
    PURE(inet_ntoa) PURE(insert) PURE(instr) PURE(int) PURE(integer) PURE(interiorringn)
    PURE(intersects) PURE(interval) SESSION(is_free_lock) PURE(is_ipv4) PURE(is_ipv4_compat)
    PURE(is_ipv4_mapped) PURE(is_ipv6) EFFECT(is_used_lock, SESSION, NAMES_IDS) PURE(isclosed) PURE(isempty)
    PURE(isnull) PURE(isring) PURE(issimple) PURE(json_array) PURE(json_array_append)
    PURE(json_array_insert) GLUED(json_arrayagg) PURE(json_compact) PURE(json_contains)
    PURE(json_contains_path) PURE(json_depth) PURE(json_detailed) PURE(json_equals)
    PURE(json_exists) PURE(json_extract) PURE(json_insert) PURE(json_keys) PURE(json_length)
    PURE(json_loose) PURE(json_merge) PURE(json_merge_patch) PURE(json_merge_preserve)
    PURE(json_normalize) PURE(json_object) GLUED(json_objectagg) PURE(json_overlaps)
    PURE(json_pretty) PURE(json_query) PURE(json_quote) PURE(json_remove) PURE(json_replace)
    PURE(json_search) PURE(json_set) TABLE(json_table) PURE(json_type) PURE(json_unquote)
    PURE(json_valid) PURE(json_value) GLUED(lag) PURE(last_day) SESSION(last_insert_id)
    PURE(last_value) SEQUENCE(lastval) PURE(lcase) GLUED(lead) PURE(least) PURE(left) PURE(length)
    PURE(lengthb) PURE(linefromtext) PURE(linefromwkb) PURE(linestringfromtext)
    PURE(linestringfromwkb) PURE(ln) SERVER(load_file) PURE(localtime) PURE(localtimestamp)
    PURE(locate) PURE(log) PURE(log10) PURE(log2) PURE(lower) PURE(lpad) PURE(ltrim) PURE(make_set)
    PURE(makedate) PURE(maketime) SERVER(master_gtid_wait) SERVER(master_pos_wait) GLUED(max)
    PURE(mbrcontains) PURE(mbrdisjoint) PURE(mbrequal) PURE(mbrintersects) PURE(mbroverlaps)
    PURE(mbrtouches) PURE(mbrwithin) PURE(md5) GLUED(median) PURE(mediumint) PURE(microsecond)
    GLUED(mid) GLUED(min) PURE(minute) PURE(mlinefromtext) PURE(mlinefromwkb) PURE(mod) PURE(month)
    PURE(monthname) PURE(mpointfromtext) PURE(mpointfromwkb) PURE(mpolyfromtext) PURE(mpolyfromwkb)
    PURE(multilinestringfromtext) PURE(multilinestringfromwkb) PURE(multipointfromtext)
    PURE(multipointfromwkb) PURE(multipolygonfromtext) PURE(multipolygonfromwkb) PURE(name_const)
    PURE(natural_sort_key) PURE(nchar) SEQUENCE(nextval) GLUED(now) GLUED(nth_value) GLUED(ntile)
    PURE(nullif) PURE(numeric) PURE(numgeometries) PURE(numinteriorrings) PURE(numpoints) PURE(nvl)
    PURE(nvl2) PURE(oct) PURE(octet_length) PURE(old_password) PURE(ord) PURE(overlaps)
    PURE(password) GLUED(percent_rank) GLUED(percentile_cont) GLUED(percentile_disc)
    PURE(period_add) PURE(period_diff) PURE(pi) PURE(pointfromtext) PURE(pointfromwkb) PURE(pointn)
    PURE(pointonsurface) PURE(polyfromtext) PURE(polyfromwkb) PURE(polygonfromtext)
    PURE(polygonfromwkb) GLUED(position) PURE(pow) PURE(power) PURE(quarter) PURE(quote)
    PURE(radians) PURE(rand) PURE(random_bytes) GLUED(rank) PURE(real) PURE(regexp_instr)
    PURE(regexp_replace) PURE(regexp_substr) EFFECT(release_all_locks, SESSION, UNLOCK)
    EFFECT(release_lock, SESSION, UNLOCK) PURE(repeat) PURE(replace) PURE(reverse) PURE(right)
    PURE(round) EFFECT(row_count, SESSION, ASKS_ROW_COUNT) GLUED(row_number) PURE(rpad) PURE(rtrim)
    PURE(schema) PURE(sec_to_time) PURE(second) SERVER(session_user) SEQUENCE(setval) PURE(sformat)
    PURE(sha) PURE(sha1) PURE(sha2) PURE(sign) PURE(sin) PURE(sleep) PURE(smallint) PURE(soundex)
    PURE(space) PURE(sqrt) PURE(srid) PURE(st_area) PURE(st_asbinary) PURE(st_asgeojson)
    PURE(st_astext) PURE(st_aswkb) PURE(st_aswkt) PURE(st_boundary) PURE(st_buffer)
    PURE(st_centroid) PURE(st_contains) PURE(st_convexhull) PURE(st_crosses) PURE(st_difference)
    PURE(st_dimension) PURE(st_disjoint) PURE(st_distance) PURE(st_distance_sphere)
    PURE(st_endpoint) PURE(st_envelope) PURE(st_equals) PURE(st_exteriorring)
    PURE(st_geomcollfromtext) PURE(st_geomcollfromwkb) PURE(st_geometrycollectionfromtext)
    PURE(st_geometrycollectionfromwkb) PURE(st_geometryfromtext) PURE(st_geometryfromwkb)
    PURE(st_geometryn) PURE(st_geometrytype) PURE(st_geomfromgeojson) PURE(st_geomfromtext)
    PURE(st_geomfromwkb) PURE(st_interiorringn) PURE(st_intersection) PURE(st_intersects)
    PURE(st_isclosed) PURE(st_isempty) PURE(st_isring) PURE(st_issimple) PURE(st_length)
    PURE(st_linefromtext) PURE(st_linefromwkb) PURE(st_linestringfromtext)
    PURE(st_linestringfromwkb) PURE(st_numgeometries) PURE(st_numinteriorrings) PURE(st_numpoints)
    PURE(st_overlaps) PURE(st_pointfromtext) PURE(st_pointfromwkb) PURE(st_pointn)
    PURE(st_pointonsurface) PURE(st_polyfromtext) PURE(st_polyfromwkb) PURE(st_polygonfromtext)
    PURE(st_polygonfromwkb) PURE(st_relate) PURE(st_srid) PURE(st_startpoint) PURE(st_symdifference)
    PURE(st_touches) PURE(st_union) PURE(st_within) PURE(st_x) PURE(st_y) PURE(startpoint)
    GLUED(std) GLUED(stddev) GLUED(stddev_pop) GLUED(stddev_samp) PURE(str_to_date) PURE(strcmp)
    GLUED(subdate) GLUED(substr) GLUED(substring) PURE(substring_index) PURE(subtime) GLUED(sum)
    PURE(sys_guid) GLUED(sysdate) SERVER(system_user) PURE(tan) PURE(time) PURE(time_format)
    PURE(time_to_sec) PURE(timediff) PURE(timestamp) PURE(timestampadd) PURE(timestampdiff)
    PURE(tinyint) PURE(to_base64) PURE(to_char) PURE(to_days) PURE(to_seconds) PURE(touches)
    GLUED(trim) PURE(truncate) PURE(ucase) PURE(uncompress) PURE(uncompressed_length) PURE(unhex)
    PURE(unix_timestamp) PURE(updatexml) PURE(upper) SERVER(user) PURE(utc_date) PURE(utc_time)
    PURE(utc_timestamp) PURE(uuid) SERVER(uuid_short) GLUED(var_pop) GLUED(var_samp) PURE(varbinary)
    PURE(varchar) GLUED(variance) SERVER(version) PURE(week) PURE(weekday) PURE(weekofyear)
    PURE(weight_string) PURE(within) SERVER(wsrep_last_seen_gtid) SERVER(wsrep_last_written_gtid)
    SERVER(wsrep_sync_wait_upto_gtid) PURE(x) PURE(y) PURE(year) PURE(yearweek)
};
/* clang-format on */

static int order(struct span name, const struct sql_function *f)
{
    size_t n = name.n < f->n ? name.n : f->n;

    for (size_t i = 0; i < n; i++) {
        int a = name.p[i];
        int b = (uint8_t)f->name[i];

        a += a >= 'A' && a <= 'Z' ? 0x20 : 0;
        if (a != b)
            return a - b;
    }
    return (name.n > f->n) - (name.n < f->n);
}

const struct sql_function *sql_function_find(struct span name)
{
    size_t low = 0;
    size_t high = ARRAY_LEN(functions);

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = order(name, &functions[mid]);

        if (c == 0)
            return &functions[mid];
        if (c < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

const struct sql_function *sql_function_at(size_t i)
{
    return i < ARRAY_LEN(functions) ? &functions[i] : NULL;
}
