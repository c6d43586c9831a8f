"""Changes of every kind: afterwards each document is what pos/generate_aggregates.sql says."""

import os
import threading
import unittest

from shop_mirror import ShopTest

from harness import scratch
from harness.pos_till import Tills

SALE = ["INSERT INTO `Order` (id, datePlaced, customer_id) VALUES ({0}, '2026-03-01 10:00:00', {1})",
        "INSERT INTO Orderline (order_id, product_id, quantity) VALUES ({0}, 1, 2), ({0}, 2, 1)"]


class ChangesTest(ShopTest):
    def change(self, *statements):
        self.shop.run(*statements)
        self.assert_same()

    def sale(self, order, customer):
        return [s.format(order, customer) for s in SALE]

    def test_00_snapshot(self):
        self.assert_same()
        self.assertGreater(len(self.shop.documents()["customers"]), 100)

    def test_01_gtid_on_each_document(self):
        marks = self.shop.mongo.db().customers.distinct("_tillway.gtid")
        self.assertEqual(marks, [self.shop.state()["gtid"]])

    def test_10_sale(self):
        self.change(*self.sale(100001, 1))
        orders = self.shop.documents()["customers"][1]["Orders"]
        self.assertEqual(orders[-1]["Order ID"], 100001)

    def test_11_sale_in_a_transaction(self):
        self.change("BEGIN", *self.sale(100002, 2), "COMMIT")

    def test_12_sale_by_procedure(self):
        self.change("CALL place_order(3, '[{\"product_id\": 3, \"quantity\": 2}]', @o)", "CALL ship_order(@o)")
        self.change("CALL place_order(3, '[{\"product_id\": 4}]', @o)", "CALL cancel_order(@o)")

    def test_13_order_moves_to_another_customer(self):
        self.change("UPDATE `Order` SET customer_id = 5 WHERE id = 100001")
        ids = [o["Order ID"] for o in self.shop.documents()["customers"][1]["Orders"]]
        self.assertNotIn(100001, ids)

    def test_14_line_moves_to_another_order(self):
        self.change("INSERT INTO `Order` (id, datePlaced, customer_id) VALUES (200003, '2026-03-02', 6)",
                    "UPDATE Orderline SET order_id = 200003 WHERE order_id = 100002 AND product_id = 1")

    def test_15_order_and_lines_deleted_together(self):
        self.change("BEGIN", "DELETE FROM Orderline WHERE order_id = 100002",
                    "DELETE FROM `Order` WHERE id = 100002", "COMMIT")

    def test_16_moved_renamed_and_changed_in_one_transaction(self):
        self.change("BEGIN", "UPDATE `Order` SET customer_id = 7 WHERE id = 200003",
                    "UPDATE Orderline SET quantity = 9 WHERE order_id = 200003",
                    "UPDATE `Order` SET customer_id = 8 WHERE id = 200003",
                    "UPDATE Customer SET lastName = 'Renamed' WHERE id IN (6, 7, 8)", "COMMIT")

    def test_20_product_renamed_and_repriced(self):
        self.change("UPDATE Product SET name = 'Teapot, \"blue\" 😀' WHERE id = 1")
        self.change("CALL change_price(1, 0.01)")
        self.change("UPDATE Product SET currentPrice = 99999999.99 WHERE id = 2")

    def test_21_city_renamed(self):
        self.change("UPDATE City SET city = 'Zürich' ORDER BY zip LIMIT 3")

    def test_22_customer_moves(self):
        self.change("UPDATE Customer SET zip = (SELECT MAX(zip) FROM City) WHERE id = 1",
                    "UPDATE Customer SET zip = NULL WHERE id = 2",
                    "UPDATE Customer SET address1 = '', address2 = NULL, phone = NULL WHERE id = 3",
                    "UPDATE Customer SET zip = NULL, address1 = NULL, address2 = '' WHERE id = 4")

    def test_23_customer_new_and_gone(self):
        self.change("INSERT INTO Customer (id, firstName, lastName, birthdate) VALUES (90001, '', 'X', NULL),"
                    " (90002, 'A', '', '1899-12-31'), (90003, 'A', 'B', '2000-02-29')")
        self.change("DELETE FROM Customer WHERE id = 90001")
        self.assertNotIn(90001, self.shop.documents()["customers"])
        self.change("DELETE FROM Customer WHERE id = 90002",
                    "INSERT INTO Customer (id, firstName, lastName) VALUES (90002, 'again', 'B')")

    def test_24_customer_gets_another_id(self):
        self.change("UPDATE Customer SET id = 90009 WHERE id = 90003")
        self.assertNotIn(90003, self.shop.documents()["customers"])
        self.change("SET foreign_key_checks = 0", "BEGIN", "UPDATE Customer SET id = 90010 WHERE id = 9",
                    "UPDATE `Order` SET customer_id = 90010 WHERE customer_id = 9", "COMMIT")

    def test_25_keys_swapped(self):
        self.change("BEGIN", "UPDATE Customer SET id = 99999 WHERE id = 90002",
                    "UPDATE Customer SET id = 90002 WHERE id = 90009",
                    "UPDATE Customer SET id = 90009 WHERE id = 99999", "COMMIT")

    def test_26_orphans(self):
        self.change("SET foreign_key_checks = 0, @tillway_etl = 1",
                    "INSERT INTO `Order` (id, datePlaced, customer_id) VALUES (100020, '2026-01-01', 777777)",
                    "INSERT INTO Orderline (order_id, product_id, quantity) VALUES (100021, 5, 1)")
        self.assertNotIn(777777, self.shop.documents()["customers"])
        self.change("INSERT INTO Customer (id, firstName, lastName) VALUES (777777, 'late', 'parent')")
        self.change("SET @tillway_etl = 1",
                    "INSERT INTO `Order` (id, datePlaced, customer_id) VALUES (100021, '2026-01-01', 777777)")

    def test_30_replace(self):
        self.change("REPLACE INTO Customer (id, firstName, lastName) VALUES (90002, 'by', 'REPLACE')")
        self.change("SET foreign_key_checks = 0",
                    "REPLACE INTO Product (id, name, currentPrice, availableQuantity) VALUES (6, 'R', 3.5, 100)")

    def test_31_on_duplicate_key(self):
        self.change("INSERT INTO Product (id, name, currentPrice) VALUES (7, 'D', 1), (800001, 'E', 2)"
                    " ON DUPLICATE KEY UPDATE name = CONCAT(name, '+'), currentPrice = currentPrice + 0.05")

    def test_32_insert_ignore_that_does_nothing(self):
        self.change("INSERT IGNORE INTO Product (id, name, currentPrice) VALUES (7, 'D', 1)")

    def test_33_multi_table_update_and_delete(self):
        self.change("UPDATE Customer c JOIN `Order` o ON o.customer_id = c.id SET c.phone = 'm',"
                    " o.dateShipped = DATE_ADD(o.datePlaced, INTERVAL 1 DAY) WHERE c.id BETWEEN 10 AND 20")
        self.change("DELETE l FROM Orderline l JOIN `Order` o ON o.id = l.order_id WHERE o.customer_id = 11")

    def test_34_load_data(self):
        path = os.path.join(scratch.current().folder("csv"), "lines.csv")
        with open(path, "w", encoding="utf-8") as f:
            f.write("".join("%d\t'%d\tL\n" % (n, n) for n in range(91000, 91100)))
        self.change("LOAD DATA LOCAL INFILE '%s' INTO TABLE Customer CHARACTER SET utf8mb4"
                    " (id, firstName, lastName)" % path)

    def test_35_many_rows_in_one_transaction(self):
        self.change("SET @tillway_etl = 1", "BEGIN", "UPDATE Customer SET phone = CONCAT('+', id)", "UPDATE `Order` SET datePlaced ="
                    " DATE_SUB(datePlaced, INTERVAL 1 SECOND)", "COMMIT")

    def test_36_rollback_and_savepoints(self):
        self.change("BEGIN", "UPDATE Customer SET lastName = 'never' WHERE id < 50", "ROLLBACK")
        self.change("BEGIN", "UPDATE Customer SET lastName = 'kept' WHERE id = 30", "SAVEPOINT s",
                    "UPDATE Customer SET lastName = 'undone' WHERE id = 31", "ROLLBACK TO s",
                    "UPDATE Customer SET lastName = 'kept too' WHERE id = 32", "COMMIT")

    def test_37_xa(self):
        self.shop.run("XA START 'a'", "UPDATE Customer SET lastName = 'XA' WHERE id = 33", "XA END 'a'",
                      "XA PREPARE 'a'")
        self.assert_same()
        self.change("UPDATE Customer SET phone = 'meanwhile' WHERE id = 34")
        self.assertTrue(self.shop.state()["xa"])
        self.change("XA COMMIT 'a'")
        self.assertEqual(self.shop.documents()["customers"][33]["Customer Name"].split()[-1], "XA")
        self.change("UPDATE Customer SET phone = 'afterwards' WHERE id = 34")
        self.assertFalse(self.shop.state()["xa"])

    def test_40_truncate(self):
        self.shop.run("SET foreign_key_checks = 0", "TRUNCATE TABLE Orderline")
        self.shop.wait_applied()
        self.assertEqual(self.shop.mongo.db().products.count_documents({"Buyers": {"$ne": []}}), 0)
        self.assertEqual(self.shop.mongo.db().customers.count_documents({"Orders.Items.0": {"$exists": True}}), 0)
        self.change("SET @tillway_etl = 1", "INSERT INTO Orderline (order_id, product_id, quantity) SELECT id, 8, 1 FROM `Order`")

    def test_41_alter(self):
        self.change("ALTER TABLE Customer ADD COLUMN loyalty INT NOT NULL DEFAULT 3 FIRST",
                    "UPDATE Customer SET firstName = 'after ALTER', loyalty = 4 WHERE id = 40")
        self.change("ALTER TABLE Customer DROP COLUMN loyalty",
                    "UPDATE Customer SET firstName = 'after DROP' WHERE id = 41")

    def test_42_rename_away_and_back(self):
        self.change("RENAME TABLE Orderline TO Elsewhere, Elsewhere TO Orderline")

    def test_43_columns_move_while_tills_sell(self):
        """Online and copying ALTERs, one after the other, of tables that sales change."""
        # While MariaDB swaps a copied parent table, a new child row may be refused by the foreign key.
        with Tills(self.shop.primary.host, self.shop.primary.port, count=2, pace=0.02, reconnect=True, passing=(1452,)):
            self.shop.run("ALTER TABLE Customer ADD COLUMN a1 INT FIRST, ALGORITHM=INPLACE",
                          "ALTER TABLE Customer MODIFY phone VARCHAR(60) AFTER a1",
                          "ALTER TABLE Customer CHANGE a1 a2 BIGINT, ALGORITHM=COPY",
                          "ALTER TABLE `Order` ADD COLUMN note VARCHAR(9) DEFAULT 'x' AFTER id",
                          "ALTER TABLE Orderline ENGINE=InnoDB",
                          "RENAME TABLE Product TO Goods, Goods TO Product",
                          "ALTER TABLE Customer DROP COLUMN a2", "ALTER TABLE `Order` DROP COLUMN note")
        self.assert_same()

    def test_44_clock_jumps(self):
        """Commits dated long ago and far ahead: nothing goes by their time."""
        for at in (1, 4000000000 - (1 << 31), 2147483000):
            self.change("SET timestamp = %d" % at, "UPDATE Customer SET phone = '%d' WHERE id = 50" % at,
                        *self.sale(300000 + at % 1000, 50))

    def test_45_compressed_binlog(self):
        for server in self.shop.cluster.servers:
            server.query("SET GLOBAL log_bin_compress = ON, GLOBAL log_bin_compress_min_len = 10")
        try:
            self.change("UPDATE Customer SET address1 = REPEAT('long ', 20)")
            self.change(*self.sale(300100, 51))
        finally:
            for server in self.shop.cluster.servers:
                server.query("SET GLOBAL log_bin_compress = OFF")

    def test_46_others_ask_where_their_snapshots_stand(self):
        """MariaDB may print another session's place for ours."""
        done = threading.Event()

        def ask(server):
            connection = server.connect()
            with connection.cursor() as cursor:
                while not done.is_set():
                    cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
                    cursor.execute("SHOW STATUS LIKE 'binlog\\_snapshot\\_%'")
            connection.close()
        askers = [threading.Thread(target=ask, args=(server,)) for server in self.shop.cluster.servers * 2]
        for asker in askers:
            asker.start()
        try:
            self.shop.run("INSERT INTO Customer (id, firstName, lastName) SELECT 460000 + seq, 'One of', 'Many' FROM seq_1_to_6000",
                          *["UPDATE Customer SET phone = 'told' WHERE id = %d" % (460001 + n) for n in range(6000)])
        finally:
            done.set()
            for asker in askers:
                asker.join()
        self.assert_same()

    def test_50_other_databases_and_tables_do_not_matter(self):
        before = self.shop.state()["gtid"]
        self.change("CREATE TABLE test.Customer (id INT PRIMARY KEY) ENGINE=InnoDB",
                    "INSERT INTO test.Customer VALUES (1)", "DELETE FROM test.Customer", "DROP TABLE test.Customer")
        self.assertNotEqual(self.shop.state()["gtid"], before)

    def test_60_binlog_rotates(self):
        self.shop.run("FLUSH BINARY LOGS")
        self.shop.cluster.replicas[0].query("FLUSH BINARY LOGS")
        self.change("UPDATE Customer SET lastName = 'rotated' WHERE id = 50")

    def test_61_large_values(self):
        self.change("UPDATE Customer SET address1 = REPEAT('é', 200), address2 = REPEAT('\\\\', 200) WHERE id = 51")

    def test_62_mongodb_notes_no_single_writes(self):
        """What fails is done again by the mirror, so MongoDB need not remember each write in config.transactions."""
        noted = self.noted()
        self.change("UPDATE Customer SET phone = '62' WHERE id < 50")
        self.assertEqual(self.noted(), noted)

    def noted(self):
        status = self.shop.mongo.client().admin.command("serverStatus")
        return status["transactions"]["transactionsCollectionWriteCount"]


if __name__ == "__main__":
    unittest.main()
