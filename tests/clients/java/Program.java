import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** The scenarios of ../expected.txt through MariaDB Connector/J. */
public class Program {
    static final String[] WORDS = {"one", "two", "three"};
    static final String TEXT = "", BINARY = "&useServerPrepStmts=true";
    static final String BULK = "&useBulkStmts=true&useServerPrepStmts=true", PIPELINED = "&useBulkStmts=false&useServerPrepStmts=true";
    static final String TLS = "&sslMode=verify-full&serverSslCert=" + System.getenv("DB_CA");
    static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    static final BufferedReader IN = new BufferedReader(new InputStreamReader(System.in));

    interface Call {
        void run() throws SQLException;
    }

    static void say(String name, Object text) {
        OUT.println(name + ": " + text);
    }

    static void cue(String name) throws Exception {
        OUT.println("@" + name);
        if (!"go".equals(IN.readLine())) throw new IllegalStateException("no go for " + name);
    }

    static Connection connect(String user, String database, String password, String options) throws SQLException {
        return DriverManager.getConnection(
            "jdbc:mariadb://" + System.getenv("DB_HOST") + ":" + System.getenv("DB_PORT") + "/" + database + "?user=" + user + "&password="
                + password + "&allowLocalInfile=true&allowMultiQueries=true&maxAllowedPacket=134217728" + options);
    }

    static Connection connect(String options) throws SQLException {
        return connect("till", "shop", "till", options);
    }

    static void run(Connection c, String sql, Object... args) throws SQLException {
        try (PreparedStatement s = c.prepareStatement(sql)) {
            for (int i = 0; i < args.length; i++) s.setObject(i + 1, args[i]);
            s.execute();
        }
    }

    static String value(Connection c, String sql, Object... args) throws SQLException {
        try (PreparedStatement s = c.prepareStatement(sql)) {
            for (int i = 0; i < args.length; i++) s.setObject(i + 1, args[i]);
            try (ResultSet r = s.executeQuery()) {
                r.next();
                return r.getString(1);
            }
        }
    }

    static String counted(Connection c, String table) throws SQLException {
        return value(c, "SELECT CONCAT(COUNT(*), ' rows, sum ', SUM(id)) FROM " + table);
    }

    static void failing(String name, Call call) {
        try {
            call.run();
            say(name, "no error");
        } catch (SQLException e) {
            say(name, e.getErrorCode() + " " + e.getSQLState() + " " + e.getMessage().replaceFirst("^\\(conn=\\d+\\) ", ""));
        }
    }

    /** The account's password is its name. */
    static void way(String name, String user, String options) throws SQLException {
        try (Connection c = connect(user, "shop", user, options)) {
            say(name, value(c, "SELECT CONCAT_WS(' ', CURRENT_USER(), DATABASE())"));
        }
    }

    static void login() throws SQLException {
        try (Connection c = connect(TEXT)) {
            say("login", value(c, "SELECT CONCAT_WS(' ', CURRENT_USER(), DATABASE())"));
        }
        way("login by TLS", "safe", TLS);
        way("login by ed25519", "ed", "");
        way("login by caching_sha2", "fast", "");
        way("password by caching_sha2", "rsa", "&allowPublicKeyRetrieval=true");
        way("password by caching_sha2 and TLS", "told", TLS);
        failing("wrong password", () -> connect("till", "shop", "wrong", TEXT));
        failing("no such database", () -> connect("till", "nosuch", "till", TEXT));
    }

    static void types(Connection c, String name) throws SQLException {
        try (PreparedStatement s = c.prepareStatement("SELECT * FROM kinds"); ResultSet r = s.executeQuery()) {
            r.next();
            say(name, String.join("|", r.getLong(1) + "", r.getString(2), r.getBigDecimal(3) + "", r.getDouble(4) + "",
                r.getString(5), HexFormat.of().formatHex(r.getBytes(6)), r.getTimestamp(7) + "", r.getString(8) + "").replace("null", "NULL"));
        }
    }

    static void prepared(Connection c) throws SQLException {
        try (PreparedStatement s = c.prepareStatement("INSERT INTO work VALUES (?, ?)")) {
            for (int i = 1; i <= 3; i++) {
                s.setInt(1, i);
                if (i == 2) s.setNull(2, Types.VARCHAR);
                else s.setString(2, "é");
                s.executeUpdate();
            }
        }
        say("prepared", counted(c, "work") + ", " + value(c, "SELECT SUM(v IS NULL) FROM work") + " NULL");
        run(c, "DELETE FROM work");
    }

    static void transactions(Connection c) throws SQLException {
        String count = "SELECT COUNT(*) FROM work";
        c.setAutoCommit(false);
        run(c, "INSERT INTO work VALUES (1, 'x')");
        c.rollback();
        say("rolled back", value(c, count));
        run(c, "INSERT INTO work VALUES (1, 'x'), (2, 'y')");
        c.commit();
        say("committed", value(c, count));
        run(c, "DELETE FROM work WHERE id = 1");
        Savepoint a = c.setSavepoint("a");
        run(c, "DELETE FROM work");
        c.rollback(a);
        c.commit();
        say("savepoint", value(c, count));
        c.setAutoCommit(true);
        run(c, "DELETE FROM work");
    }

    static void ownWrites(Connection c) throws SQLException {
        int right = 0;
        for (int i = 0; i < 100; i++) {
            run(c, "INSERT INTO work VALUES (?, ?)", i, "v" + i);
            if (value(c, "SELECT v FROM work WHERE id = ?", i).equals("v" + i)) right++;
        }
        say("own writes read", right);
        run(c, "DELETE FROM work");
    }

    static String digest(String text) throws Exception {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return bytes.length + " " + HexFormat.of().formatHex(MessageDigest.getInstance("MD5").digest(bytes));
    }

    static void big(Connection c, String name) throws Exception {
        run(c, "INSERT INTO work VALUES (1, ?)", "0123456789abcdef".repeat(33 * (1 << 20) / 16));
        say(name, digest(value(c, "SELECT v FROM work WHERE id = 1")));
        run(c, "DELETE FROM work");
    }

    static void compressed(String name, String user, String options, int size) throws Exception {
        try (Connection c = connect(user, "shop", user, options + "&useCompression=true"); Statement s = c.createStatement();
             ResultSet r = s.executeQuery("SELECT '" + "0123456789abcdef".repeat(size / 16 + 1).substring(0, size) + "'")) {
            r.next();
            say(name, digest(r.getString(1)));
        }
    }

    static void load(Connection c) throws SQLException {
        run(c, "LOAD DATA LOCAL INFILE '" + System.getenv("DB_CSV") + "' INTO TABLE loaded FIELDS TERMINATED BY ','");
        say("load data local", counted(c, "loaded"));
    }

    static List<String> results(Statement s, boolean rows) throws SQLException {
        List<String> seen = new ArrayList<>();
        for (boolean more = true; more;) {
            if (rows) {
                ResultSet r = s.getResultSet();
                r.next();
                seen.add(r.getString(1));
            } else {
                seen.add("-");
            }
            rows = s.getMoreResults();
            more = rows || s.getUpdateCount() != -1;
        }
        return seen;
    }

    static void severalResults(Connection c) throws SQLException {
        try (Statement s = c.createStatement()) {
            say("several statements", String.join("|", results(s, s.execute("SELECT 1; SELECT 2; DO 3; SELECT 4"))));
        }
        try (var s = c.prepareCall("{CALL thrice(?, ?)}")) {
            s.setInt(1, 5);
            s.registerOutParameter(2, Types.INTEGER);
            List<String> r = results(s, s.execute());
            say("call", String.join("|", r.get(0), r.get(1), s.getString(2)));
        }
    }

    static void charsets(Connection c) throws SQLException {
        say("utf8mb4", value(c, "SELECT CONCAT_WS(' ', HEX(?), ?)", "naïve €😀", "naïve €😀"));
    }

    static void errors(Connection c) throws SQLException {
        failing("duplicate key", () -> run(c, "INSERT INTO t VALUES (1, 'x')"));
        failing("no such table", () -> run(c, "SELECT * FROM nosuch"));
        failing("own words", () -> run(c, "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'till is closed'"));
        if (!c.isValid(30)) throw new SQLException("not valid any more");
        say("after errors", value(c, "SELECT 1"));
    }

    /** Once by MariaDB's bulk command, once as pipelined executions; both must do the same. */
    static void batch() throws SQLException {
        String done = "";
        for (String way : new String[] {BULK, PIPELINED}) {
            try (Connection c = connect(way); PreparedStatement s = c.prepareStatement("INSERT INTO work VALUES (?, ?)")) {
                for (int i = 1; i <= 1000; i++) {
                    s.setInt(1, i);
                    s.setString(2, "v" + i);
                    s.addBatch();
                }
                if (s.executeBatch().length != 1000) throw new SQLException("not 1000 answers");
                String now = counted(c, "work");
                done = done.isEmpty() || done.equals(now) ? now : done + " but " + now;
                run(c, "DELETE FROM work");
            }
        }
        say("batch", done);
    }

    static void stream() throws SQLException {
        try (Connection c = connect(TEXT); Statement s = c.createStatement()) {
            long rows = 0, sum = 0;
            s.setFetchSize(100);
            try (ResultSet r = s.executeQuery("SELECT seq FROM seq_1_to_100000")) {
                for (; r.next(); rows++) sum += r.getLong(1);
            }
            say("stream", rows + " rows, sum " + sum);
            s.executeQuery("SELECT seq, REPEAT('x', 1000) FROM seq_1_to_100000").next();
            c.abort(Runnable::run);
        }
        try (Connection c = connect(TEXT)) {
            say("abandoned stream", value(c, "SELECT 7"));
        }
    }

    /** Another connection ends this one; the way back is a new one. */
    static void killed() throws SQLException {
        String lost = "not lost";
        try (Connection c = connect(TEXT); Connection other = connect(TEXT)) {
            run(other, "KILL " + value(c, "SELECT CONNECTION_ID()"));
            try {
                run(c, "SELECT 1");
            } catch (SQLException e) {
                lost = "lost";
            }
        }
        try (Connection again = connect(TEXT)) {
            say("killed", lost + ", then " + value(again, "SELECT COUNT(*) FROM t"));
        }
    }

    /** So many reads, the connections in turn, half of them prepared; how many were right. */
    static int readRound(List<Connection> connections, int rounds) throws SQLException {
        int right = 0;
        for (int i = 0; i < rounds; i++)
            if (value(connections.get(i % 4), "SELECT v FROM t WHERE id = ?", 1 + i % 3).equals(WORDS[i % 3])) right++;
        return right;
    }

    static void reads() throws Exception {
        cue("balance");
        List<Connection> connections = new ArrayList<>();
        for (int i = 0; i < 4; i++) connections.add(connect(i < 2 ? TEXT : BINARY));
        say("reads", readRound(connections, 200));
        cue("balanced");
        cue("lose_replica");
        say("reads while a replica dies", readRound(connections, 400));
        cue("replica_back");
    }

    static void restart(Connection c) throws Exception {
        cue("restart");
        String lost = "not lost";
        try {
            run(c, "SELECT 1");
        } catch (SQLException e) {
            lost = "lost";
        }
        try (Connection again = connect(TEXT)) {
            say("restarted", lost + ", then " + value(again, "SELECT COUNT(*) FROM t"));
        }
    }

    public static void main(String[] args) throws Exception {
        login();
        Connection text = connect(TEXT), binary = connect(BINARY);
        types(text, "types as text");
        types(binary, "types as binary");
        prepared(binary);
        transactions(text);
        ownWrites(text);
        big(text, "big row as text");
        big(binary, "big row as binary");
        compressed("compressed", "packed", "", 12345);
        compressed("compressed and by TLS", "tight", TLS, 12345);
        compressed("compressed big row", "packed", "", 18 << 20);
        load(text);
        severalResults(text);
        charsets(text);
        errors(text);
        batch();
        stream();
        killed();
        reads();
        restart(text);
        System.exit(0);
    }
}
