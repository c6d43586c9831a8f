// The scenarios of ../expected.txt through go-sql-driver.
package main

import (
	"bufio"
	"context"
	"crypto/md5"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/go-sql-driver/mysql"
)

var (
	words = []string{"one", "two", "three"}
	input = bufio.NewReader(os.Stdin)
	ctx   = context.Background()
)

// A place to log in, as the driver's own configuration; text: parameters are put into the text.
func config(text bool) *mysql.Config {
	c := mysql.NewConfig()
	c.Net, c.Addr = "tcp", os.Getenv("DB_HOST")+":"+os.Getenv("DB_PORT")
	c.User, c.Passwd, c.DBName = "till", "till", "shop"
	c.InterpolateParams, c.MultiStatements = text, true
	c.MaxAllowedPacket = 1 << 27
	c.Logger = log.New(os.Stderr, "", 0)
	return c
}

// One of the accounts whose password is their name.
func as(user string, secure bool) *mysql.Config {
	c := config(true)
	c.User, c.Passwd = user, user
	if secure {
		authorities := x509.NewCertPool()
		authorities.AppendCertsFromPEM(must(os.ReadFile(os.Getenv("DB_CA"))))
		c.TLS = &tls.Config{RootCAs: authorities, ServerName: os.Getenv("DB_HOST")}
	}
	return c
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Panic(err)
	}
	return value
}

// One connection, not a pool: what follows is about sessions.
func connect(c *mysql.Config) *sql.Conn {
	conn, err := tryConnect(c)
	return must(conn, err)
}

func tryConnect(c *mysql.Config) (*sql.Conn, error) {
	return sql.OpenDB(must(mysql.NewConnector(c))).Conn(ctx)
}

func say(name string, values ...any) { fmt.Printf("%s: %s\n", name, fmt.Sprint(values...)) }

func cue(name string) {
	fmt.Println("@" + name)
	if must(input.ReadString('\n')) != "go\n" {
		log.Panic("no go for " + name)
	}
}

func run(c *sql.Conn, text string, args ...any) { must(c.ExecContext(ctx, text, args...)) }

func value(c *sql.Conn, text string, args ...any) (v string) {
	if err := c.QueryRowContext(ctx, text, args...).Scan(&v); err != nil {
		log.Panic(err)
	}
	return v
}

func reason(err error) string {
	var e *mysql.MySQLError
	if !errors.As(err, &e) {
		return fmt.Sprint(err)
	}
	return fmt.Sprintf("%d %s %s", e.Number, e.SQLState[:], e.Message)
}

func login() {
	socket := config(true)
	socket.Net, socket.Addr = "unix", os.Getenv("DB_SOCKET")
	for _, way := range []struct {
		name string
		c    *mysql.Config
	}{{"login", config(true)}, {"login by socket", socket}, {"login by TLS", as("safe", true)}, {"login by ed25519", as("ed", false)},
		{"login by caching_sha2", as("fast", false)}, {"password by caching_sha2", as("rsa", false)},
		{"password by caching_sha2 and TLS", as("told", true)}} {
		c := connect(way.c)
		say(way.name, value(c, "SELECT CONCAT_WS(' ', CURRENT_USER(), DATABASE())"))
		c.Close()
	}
	wrong, nowhere := config(true), config(true)
	wrong.Passwd, nowhere.DBName = "wrong", "nosuch"
	_, err := tryConnect(wrong)
	say("wrong password", reason(err))
	_, err = tryConnect(nowhere)
	say("no such database", reason(err))
}

// An argument makes the driver prepare the statement.
func types(c *sql.Conn, name, where string, args ...any) {
	var i int64
	var u uint64
	var f float64
	var d, s, t string
	var b []byte
	var n sql.NullInt64
	row := c.QueryRowContext(ctx, "SELECT * FROM kinds"+where, args...)
	if err := row.Scan(&i, &u, &d, &f, &s, &b, &t, &n); err != nil || n.Valid {
		log.Panic(err, n)
	}
	say(name, fmt.Sprintf("%d|%d|%s|%v|%s|%x|%s|NULL", i, u, d, f, s, b, t))
}

func counted(c *sql.Conn, table string) string {
	return value(c, "SELECT CONCAT(COUNT(*), ' rows, sum ', SUM(id)) FROM "+table)
}

func prepared(c *sql.Conn) {
	s := must(c.PrepareContext(ctx, "INSERT INTO work VALUES (?, ?)"))
	must(s.ExecContext(ctx, 1, "a"))
	must(s.ExecContext(ctx, 2, nil))
	must(s.ExecContext(ctx, 3, "é"))
	s.Close()
	say("prepared", counted(c, "work"), ", ", value(c, "SELECT SUM(v IS NULL) FROM work"), " NULL")
	run(c, "DELETE FROM work")
}

func transactions(c *sql.Conn) {
	count := func() string { return value(c, "SELECT COUNT(*) FROM work") }
	for _, part := range []struct {
		name       string
		commit     bool
		statements []string
	}{
		{"rolled back", false, []string{"INSERT INTO work VALUES (1, 'x')"}},
		{"committed", true, []string{"INSERT INTO work VALUES (1, 'x'), (2, 'y')"}},
		{"savepoint", true, []string{"DELETE FROM work WHERE id = 1", "SAVEPOINT a", "DELETE FROM work", "ROLLBACK TO SAVEPOINT a"}},
	} {
		tx := must(c.BeginTx(ctx, nil))
		for _, statement := range part.statements {
			must(tx.Exec(statement))
		}
		if part.commit {
			must(0, tx.Commit())
		} else {
			must(0, tx.Rollback())
		}
		say(part.name, count())
	}
	run(c, "DELETE FROM work")
}

func ownWrites(c *sql.Conn) {
	right := 0
	for i := 0; i < 100; i++ {
		run(c, "INSERT INTO work VALUES (?, ?)", i, fmt.Sprint("v", i))
		if value(c, "SELECT v FROM work WHERE id = ?", i) == fmt.Sprint("v", i) {
			right++
		}
	}
	say("own writes read", right)
	run(c, "DELETE FROM work")
}

func digest(text string) string { return fmt.Sprintf("%d %x", len(text), md5.Sum([]byte(text))) }

func big(c *sql.Conn, name string) {
	run(c, "INSERT INTO work VALUES (1, ?)", strings.Repeat("0123456789abcdef", 33*(1<<20)/16))
	say(name, digest(value(c, "SELECT v FROM work WHERE id = ?", 1)))
	run(c, "DELETE FROM work")
}

func compressed() {
	text := strings.Repeat("0123456789abcdef", 18*(1<<20)/16)
	for _, way := range []struct {
		name string
		c    *mysql.Config
		size int
	}{{"compressed", as("packed", false), 12345}, {"compressed and by TLS", as("tight", true), 12345},
		{"compressed big row", as("packed", false), len(text)}} {
		must(0, way.c.Apply(mysql.EnableCompression(true)))
		c := connect(way.c)
		say(way.name, digest(value(c, "SELECT '"+text[:way.size]+"'")))
		c.Close()
	}
}

func load(c *sql.Conn) {
	mysql.RegisterLocalFile(os.Getenv("DB_CSV"))
	run(c, "LOAD DATA LOCAL INFILE '"+os.Getenv("DB_CSV")+"' INTO TABLE loaded FIELDS TERMINATED BY ','")
	say("load data local", counted(c, "loaded"))
}

// The first value of each result; "-" for one without rows.
func results(c *sql.Conn, text string) (seen []string) {
	rows := must(c.QueryContext(ctx, text))
	defer rows.Close()
	for more := true; more; more = rows.NextResultSet() {
		v := "-"
		for rows.Next() {
			must(0, rows.Scan(&v))
		}
		seen = append(seen, v)
	}
	must(0, rows.Err())
	return seen
}

func severalResults(c *sql.Conn) {
	// The driver leaves a result without rows between two others out.
	r := results(c, "SELECT 1; SELECT 2; DO 3; SELECT 4")
	if len(r) == 3 {
		r = []string{r[0], r[1], "-", r[2]}
	}
	say("several statements", strings.Join(r, "|"))
	r = results(c, "CALL thrice(5, @b)")
	say("call", strings.Join(append(r[:2], value(c, "SELECT @b")), "|"))
}

func charsets(c *sql.Conn) {
	say("utf8mb4", value(c, "SELECT CONCAT_WS(' ', HEX(?), ?)", "naïve €😀", "naïve €😀"))
	other := config(true)
	must(0, other.Apply(mysql.Charset("latin1", "latin1_swedish_ci")))
	l := connect(other)
	latin := value(l, "SELECT CONCAT_WS(' ', HEX(?), ?)", "na\xefve", "na\xefve")
	say("latin1", strings.ReplaceAll(latin, "\xef", "ï"))
	l.Close()
}

func errorsOf(c *sql.Conn) {
	for _, way := range [][2]string{{"duplicate key", "INSERT INTO t VALUES (1, 'x')"}, {"no such table", "SELECT * FROM nosuch"},
		{"own words", "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'till is closed'"}} {
		_, err := c.ExecContext(ctx, way[1])
		say(way[0], reason(err))
	}
	must(0, c.PingContext(ctx))
	say("after errors", value(c, "SELECT 1"))
}

func batch(c *sql.Conn) {
	tx := must(c.BeginTx(ctx, nil))
	s := must(tx.Prepare("INSERT INTO work VALUES (?, ?)"))
	for i := 1; i <= 1000; i++ {
		must(s.Exec(i, fmt.Sprint("v", i)))
	}
	must(0, tx.Commit())
	say("batch", counted(c, "work"))
	run(c, "DELETE FROM work")
}

func stream() {
	c := connect(config(true))
	rows := must(c.QueryContext(ctx, "SELECT seq FROM seq_1_to_100000"))
	count, sum, n := 0, 0, 0
	for ; rows.Next(); count, sum = count+1, sum+n {
		must(0, rows.Scan(&n))
	}
	say("stream", count, " rows, sum ", sum)
	cancelled, cancel := context.WithCancel(ctx)
	rows = must(c.QueryContext(cancelled, "SELECT seq, REPEAT('x', 1000) FROM seq_1_to_100000"))
	rows.Next()
	cancel() // the driver hangs up
	rows.Close()
	say("abandoned stream", value(connect(config(true)), "SELECT 7"))
}

// Another connection ends this one; the driver's pool makes the next.
func killed() {
	pool := sql.OpenDB(must(mysql.NewConnector(config(true))))
	c := must(pool.Conn(ctx))
	run(connect(config(true)), "KILL "+value(c, "SELECT CONNECTION_ID()"))
	lost := "lost"
	if _, err := c.ExecContext(ctx, "SELECT 1"); err == nil {
		lost = "not lost"
	}
	c.Close()
	say("killed", lost, ", then ", value(must(pool.Conn(ctx)), "SELECT COUNT(*) FROM t"))
}

// So many reads, the connections in turn, half of them prepared; how many were right.
func readRound(connections []*sql.Conn, rounds int) (right int) {
	for i := 0; i < rounds; i++ {
		if value(connections[i%4], "SELECT v FROM t WHERE id = ?", 1+i%3) == words[i%3] {
			right++
		}
	}
	return right
}

func reads() {
	cue("balance")
	var connections []*sql.Conn
	for i := 0; i < 4; i++ {
		connections = append(connections, connect(config(i < 2)))
	}
	say("reads", readRound(connections, 200))
	cue("balanced")
	cue("lose_replica")
	say("reads while a replica dies", readRound(connections, 400))
	cue("replica_back")
}

func restart(c *sql.Conn) {
	cue("restart")
	lost := "lost"
	if _, err := c.ExecContext(ctx, "SELECT 1"); err == nil {
		lost = "not lost"
	}
	say("restarted", lost, ", then ", value(connect(config(true)), "SELECT COUNT(*) FROM t"))
}

func main() {
	login()
	text, binary := connect(config(true)), connect(config(false))
	types(text, "types as text", "")
	types(binary, "types as binary", " WHERE 1 = ?", 1)
	prepared(text)
	transactions(text)
	ownWrites(text)
	big(text, "big row as text")
	big(binary, "big row as binary")
	compressed()
	for _, part := range []func(*sql.Conn){load, severalResults, charsets, errorsOf, batch} {
		part(text)
	}
	stream()
	killed()
	reads()
	restart(text)
}
