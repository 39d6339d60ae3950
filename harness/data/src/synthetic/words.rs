//! The words of the generated shop, in English and Chinese. Both lists have the same shape, so that the language
//! changes texts and nothing else.

/// The words of one language.
#[derive(Debug)]
pub(super) struct Words {
    /// Names of search, view, cart and buy.
    pub(super) kinds: [&'static str; 4],
    /// Categories with four products each.
    pub(super) categories: [(&'static str, [&'static str; 4]); 16],
    /// Adjectives of titles.
    pub(super) adjectives: [&'static str; 12],
    /// What a bargain hunter adds to a query.
    pub(super) bargain: [&'static str; 3],
    /// Between words.
    pub(super) blank: &'static str,
}

/// English.
pub(super) static EN: Words = Words {
    kinds: ["search", "view", "cart", "buy"],
    categories: [
        ("shoes", ["sneakers", "boots", "sandals", "loafers"]),
        ("phones", ["smartphone", "phone case", "charger", "headphones"]),
        ("books", ["novel", "cookbook", "travel guide", "biography"]),
        ("kitchen", ["frying pan", "kettle", "knife set", "blender"]),
        ("toys", ["puzzle", "toy train", "building blocks", "doll"]),
        ("garden", ["lawn mower", "flower pot", "garden hose", "parasol"]),
        ("beauty", ["lipstick", "face cream", "perfume", "shampoo"]),
        ("sports", ["yoga mat", "dumbbell", "tennis racket", "bicycle helmet"]),
        ("furniture", ["bookshelf", "armchair", "desk", "bed frame"]),
        ("groceries", ["coffee beans", "olive oil", "green tea", "chocolate"]),
        ("dresses", ["summer dress", "evening dress", "skirt", "blouse"]),
        ("computers", ["laptop", "keyboard", "monitor", "mouse"]),
        ("pets", ["dog food", "cat litter", "bird cage", "aquarium"]),
        ("music", ["guitar", "violin strings", "drum kit", "piano stool"]),
        ("tools", ["cordless drill", "hammer", "screwdriver", "ladder"]),
        ("baby", ["stroller", "baby bottle", "crib", "diapers"]),
    ],
    adjectives: [
        "red", "blue", "black", "white", "light", "compact", "classic", "soft", "large", "small", "modern", "durable",
    ],
    bargain: ["cheap", "discount", "sale"],
    blank: " ",
};

/// Chinese.
pub(super) static ZH: Words = Words {
    kinds: ["搜索", "浏览", "加购", "购买"],
    categories: [
        ("鞋靴", ["运动鞋", "靴子", "凉鞋", "乐福鞋"]),
        ("手机", ["智能手机", "手机壳", "充电器", "耳机"]),
        ("图书", ["小说", "菜谱", "旅行指南", "传记"]),
        ("厨具", ["平底锅", "水壶", "刀具套装", "搅拌机"]),
        ("玩具", ["拼图", "玩具火车", "积木", "娃娃"]),
        ("园艺", ["割草机", "花盆", "浇水管", "遮阳伞"]),
        ("美妆", ["口红", "面霜", "香水", "洗发水"]),
        ("运动", ["瑜伽垫", "哑铃", "网球拍", "自行车头盔"]),
        ("家具", ["书架", "扶手椅", "书桌", "床架"]),
        ("食品", ["咖啡豆", "橄榄油", "绿茶", "巧克力"]),
        ("女装", ["夏季连衣裙", "晚礼服", "半身裙", "衬衫"]),
        ("电脑", ["笔记本电脑", "键盘", "显示器", "鼠标"]),
        ("宠物", ["狗粮", "猫砂", "鸟笼", "鱼缸"]),
        ("乐器", ["吉他", "小提琴弦", "架子鼓", "钢琴凳"]),
        ("五金", ["充电电钻", "锤子", "螺丝刀", "梯子"]),
        ("母婴", ["婴儿车", "奶瓶", "婴儿床", "纸尿裤"]),
    ],
    adjectives: ["红色", "蓝色", "黑色", "白色", "轻便", "小巧", "经典", "柔软", "大号", "小号", "现代", "耐用"],
    bargain: ["便宜", "打折", "特价"],
    blank: "",
};
