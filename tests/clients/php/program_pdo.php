<?php
declare(strict_types=1);
require __DIR__ . '/scenarios.php';

final class OverPdo implements Driver
{
    public function connect(array $over = []): PDO
    {
        $place = isset($over['socket']) ? "unix_socket={$over['socket']}"
            : 'host=' . getenv('DB_HOST') . ';port=' . getenv('DB_PORT');
        return new PDO("mysql:$place;dbname=" . ($over['database'] ?? 'shop') . ';charset=' . ($over['charset'] ?? 'utf8mb4'),
            $over['user'] ?? 'till', $over['password'] ?? 'till',
            (isset($over['ca']) ? [PDO::MYSQL_ATTR_SSL_CA => $over['ca']] : [])
            + [PDO::MYSQL_ATTR_COMPRESS => isset($over['packed']), PDO::MYSQL_ATTR_LOCAL_INFILE => true, PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_NUM]);
    }

    public function text(object $c, string $sql): array
    {
        $s = $c->query($sql);
        return $s->columnCount() ? $s->fetchAll() : [];
    }

    public function binary(object $c, string $sql, array $args): array
    {
        $s = $c->prepare($sql, [PDO::ATTR_EMULATE_PREPARES => false]);
        $s->execute($args);
        return $s->columnCount() ? $s->fetchAll() : [];
    }

    public function results(object $c, string $sql): array
    {
        $results = [];
        $s = $c->query($sql);
        do {
            $results[] = $s->columnCount() ? $s->fetchAll() : [];
        } while ($s->nextRowset());
        return $results;
    }

    public function quote(object $c, string $text): string
    {
        return $c->quote($text);
    }

    public function stream(object $c, string $sql): iterable
    {
        $c->setAttribute(PDO::MYSQL_ATTR_USE_BUFFERED_QUERY, false);
        return $c->query($sql);
    }

    public function inTransaction(object $c, array $statements, bool $commit): void
    {
        $c->beginTransaction();
        array_map($c->exec(...), $statements);
        $commit ? $c->commit() : $c->rollBack();
    }

    public function ping(object $c): void
    {
        $c->getAttribute(PDO::ATTR_SERVER_INFO); // COM_STATISTICS
    }

    // "SQLSTATE[23000]: Integrity constraint violation: 1062 Duplicate …", or "SQLSTATE[HY000] [1045] Access …" at the login
    public function reason(Exception $e): string
    {
        if (preg_match('/^SQLSTATE\[\w+\] \[(\d+)\] (.*)$/', $e->getMessage(), $m)) {
            return "$m[1] ? $m[2]";
        }
        return "{$e->errorInfo[1]} {$e->errorInfo[0]} {$e->errorInfo[2]}";
    }
}

(new Scenarios(new OverPdo()))->run();
