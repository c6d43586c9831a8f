"""conf/pos-paged.example.yaml under the same changes: buyers come from a table that triggers keep; what is right is computed from the order lines."""

import unittest

import test_paged


class MaterialisedShop(test_paged.PagedShop):
    example = "pos-paged.example.yaml"


class MaterialisedTest(test_paged.PagedTest):
    # Many lines without triggers: the table is not what these are about.
    test_80_a_price_in_many_pages = test_81_many_lines_at_once = None

    @classmethod
    def setUpClass(cls):
        cls.shop = cls.enterClassContext(MaterialisedShop())

    def change(self, *statements):
        """What triggers are told to leave alone shows once it is recounted."""
        recounted = any("@tillway_etl" in s for s in statements)
        super().change(*statements, *["CALL refresh_materialized_views()"] * recounted)

    def test_40_truncate(self):
        self.shop.run("TRUNCATE TABLE MvProductBuyer")  # TRUNCATE of the lines fires no triggers
        super().test_40_truncate()


if __name__ == "__main__":
    unittest.main()
