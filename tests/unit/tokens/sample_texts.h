/* Texts in many scripts with what real tokenizers count of them: the built-in model's, SmolLM2's and Qwen2.5's, each
 * by the pinned llama.cpp, without a template. The first three figures of a row are those counts. */
#ifndef NATARIS_TESTS_UNIT_TOKENS_SAMPLE_TEXTS_H
#define NATARIS_TESTS_UNIT_TOKENS_SAMPLE_TEXTS_H

#include "base/compiler.h"
#include "base/str.h"

#include <stdint.h>

enum { SAMPLE_MODELS = 3 };

struct sample_text {
    const char *name;
    int64_t tokens[SAMPLE_MODELS];
    struct str text;
};

static const char *const sample_models[SAMPLE_MODELS] = {"nataris-demo-2m", "smollm2-135m-instruct-q4_1",
                                                         "qwen2.5-coder-0.5b-instruct-q4_k_m"};

static const struct sample_text sample_texts[] = {
#define ROW(name, demo, smol, qwen, text)                                                                              \
    { name, {demo, smol, qwen}, STR(text) }
    ROW("english", 161, 83, 85,
        "The town by the sea has many boats, and every morning the fishermen leave before the sun is up. When they "
        "come back in the afternoon, the market fills with people who want to buy fresh herring, and the children "
        "run along the pier to count the masts. Nobody remembers who built the lighthouse, but everybody knows its "
        "keeper, who has lived there for forty years and writes the weather down twice a day."),
    ROW("chat", 77, 43, 44,
        "hey, quick question: my name is Ada and I'd like to cook something with eggplant tonight, but I can't eat "
        "nuts. any ideas? it shouldn't take more than 30 minutes, thanks!"),
    ROW("code", 129, 65, 60,
        "def total(items):\n    result = 0\n    for item in items:\n        if item.price is not None:\n     "
        "       "
        "result += item.price * item.count\n    return result\n\n\nclass Basket:\n    def __init__(self, "
        "owner):\n   "
        "     self.owner = owner\n        self.items = []\n"),
    ROW("json", 111, 67, 62,
        "{\"id\": \"b2a1\", \"name\": \"Petrel\", \"length_m\": 12.5, \"crew\": [\"Ada\", \"Bruno\"], \"active\": "
        "true, "
        "\"notes\": null, \"tags\": {\"port\": \"north\", \"engine\": \"diesel\"}}"),
    ROW("log", 149, 131, 126,
        "2026-11-30T03:00:02Z INFO worker 17 handled 119 requests in 0.482 s\n2026-11-30T03:00:03Z WARN worker 18 "
        "took 1532 ms for /v1/models (127.0.0.1:40112)\n2026-11-30T03:00:04Z INFO worker 19 handled 133 "
        "requests\n"),
    ROW("numbers", 86, 86, 86,
        "3.14159, 2.71828, 1.41421, 1.61803, 42, 1729, 65537, 299792458, 6.02214076, 1000000007"),
    ROW("hex", 100, 94, 92,
        "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32cc324af070c2ecbfd324a30884"
        "d2f951a7ff756ab"),
    ROW("base64", 96, 68, 55,
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="),
    ROW("repeat", 104, 26, 13,
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
    ROW("marks", 87, 41, 30,
        "---- **** ==== #### !!!! ???? >>>> <<<< {}[]() @@ && || ++ -- ~~ $$ %% ^^ :: ;; ,, .. // \\\\"),
    ROW("german", 153, 96, 69,
        "Die Fischer verlassen jeden Morgen vor Sonnenaufgang den Hafen, und wenn sie nachmittags "
        "zurückkehren, füllt "
        "sich der Marktplatz mit Leuten, die frische Heringe kaufen möchten. Die Geschwindigkeitsbegrenzung "
        "auf der "
        "Hafenstraße hält niemand ein."),
    ROW("french", 125, 77, 65,
        "Les pêcheurs quittent le port chaque matin avant le lever du soleil, et lorsqu'ils reviennent "
        "l'après-midi, "
        "le marché se remplit de gens qui veulent acheter des harengs frais. Personne n'a oublié le gardien "
        "du phare."),
    ROW("polish", 160, 117, 74,
        "Rybacy wypływają z portu każdego ranka przed wschodem słońca, a gdy wracają po południu, rynek "
        "wypełnia się "
        "ludźmi, którzy chcą kupić świeże śledzie. Dzieci biegną wzdłuż mola i liczą maszty."),
    ROW("turkish", 130, 84, 63,
        "Balıkçılar her sabah güneş doğmadan limandan ayrılır ve öğleden sonra döndüklerinde pazar yeri taze ringa "
        "almak isteyen insanlarla dolar. Çocuklar iskele boyunca koşup direkleri sayar."),
    ROW("vietnamese", 197, 152, 57,
        "Mỗi buổi sáng, ngư dân rời bến trước khi mặt trời mọc, và khi họ trở về vào buổi chiều, chợ đầy "
        "những người "
        "muốn mua cá trích tươi. Bọn trẻ chạy dọc cầu tàu để đếm các cột buồm."),
    ROW("russian", 348, 155, 75,
        "Каждое утро рыбаки покидают гавань до восхода солнца, а когда возвращаются после обеда, рынок наполняется "
        "людьми, которые хотят купить свежую сельдь. Дети бегают вдоль пирса и считают мачты."),
    ROW("greek", 309, 141, 143,
        "Κάθε πρωί οι ψαράδες φεύγουν από το λιμάνι πριν ανατείλει ο ήλιος, και όταν επιστρέφουν το απόγευμα "
        "η αγορά "
        "γεμίζει με ανθρώπους που θέλουν να αγοράσουν φρέσκιες ρέγκες."),
    ROW("arabic", 311, 161, 66,
        "يغادر الصيادون الميناء كل صباح قبل شروق الشمس، وعندما يعودون بعد الظهر يمتلئ السوق بالناس الذين "
        "يريدون شراء "
        "سمك الرنجة الطازج. يركض الأطفال على طول الرصيف ليعدوا الصواري."),
    ROW("hebrew", 280, 163, 58,
        "בכל בוקר הדייגים עוזבים את הנמל לפני הזריחה, וכשהם חוזרים אחר הצהריים השוק מתמלא באנשים שרוצים לקנות דגים "
        "טריים. הילדים רצים לאורך המזח וסופרים את התרנים."),
    ROW("hindi", 506, 234, 194,
        "मछुआरे हर सुबह सूरज निकलने से पहले बंदरगाह छोड़ देते हैं, और जब वे दोपहर में लौटते हैं तो बाज़ार उन "
        "लोगों से भर जाता है "
        "जो ताज़ी मछली खरीदना चाहते हैं। बच्चे घाट पर दौड़ते हैं और मस्तूल गिनते हैं।"),
    ROW("bengali", 352, 243, 141,
        "জেলেরা প্রতিদিন সকালে সূর্য ওঠার আগে বন্দর ছেড়ে যায়, আর বিকেলে যখন তারা ফিরে আসে তখন বাজার মানুষে "
        "ভরে যায় যারা "
        "তাজা মাছ কিনতে "
        "চায়।"),
    ROW("tamil", 381, 238, 151,
        "மீனவர்கள் ஒவ்வொரு காலையும் சூரியன் உதிக்கும் முன் துறைமுகத்தை விட்டுச் செல்கிறார்கள், அவர்கள் "
        "மாலையில் திரும்பும்போது சந்தை "
        "நிரம்புகிறது."),
    ROW("thai", 466, 292, 86,
        "ชาวประมงออกจากท่าเรือทุกเช้าก่อนพระอาทิตย์ขึ้น และเมื่อพวกเขากลับมาในตอนบ่าย "
        "ตลาดก็เต็มไปด้วยผู้คนที่อยากซื้อปลาสด "
        "เด็กๆ วิ่งไปตามท่าเรือเพื่อนับเสากระโดงเรือ"),
    ROW("khmer", 374, 282, 158,
        "អ្នកនេសាទចាកចេញពីកំពង់ផែរៀងរាល់ព្រឹកមុនព្រះអាទិត្យរះ ហើយនៅពេលពួកគេត្រឡប់មកវិញនៅពេលរសៀល "
        "ផ្សារពោរពេញដោយមនុស្សដែលចង់ទិញត្រីស្រស់។"),
    ROW("burmese", 373, 363, 197,
        "တံငါသည်များသည် နေ့စဉ် နံနက်တိုင်း နေမထွက်မီ ဆိပ်ကမ်းမှ ထွက်ခွာကြပြီး မွန်းလွဲပိုင်း ပြန်လာသောအခါ "
        "ဈေးသည် လူများဖြင့် ပြည့်နှက်နေသည်။"),
    ROW("georgian", 304, 208, 112,
        "მეთევზეები ყოველ დილით მზის ამოსვლამდე ტოვებენ ნავსადგურს, ხოლო როცა შუადღისას ბრუნდებიან, ბაზარი ივსება "
        "ხალხით."),
    ROW("chinese", 327, 209, 68,
        "海边的小镇有很多船，渔民每天清晨在太阳升起之前出海。下午他们回来的时候，市场里挤满了想买新鲜鲱鱼的人，孩子们沿"
        "着码头奔跑，数着桅杆。"
        "没有人记得是谁建造了灯塔，但每个人都认识守塔人，他在那里住了四十年，每天记录两次天气。"),
    ROW("traditional", 174, 124, 46,
        "漁民每天清晨在太陽升起之前離開港口，下午他們回來的時候，市場裡擠滿了想買新鮮鯡魚的人。孩子們沿著碼頭奔跑，數著"
        "桅杆。"),
    ROW("japanese", 306, 180, 74,
        "漁師たちは毎朝、日の出前に港を出ます。午後に戻ってくると、市場は新鮮なニシンを買いたい人々でいっぱいになります"
        "。子どもたちは桟橋を走り"
        "ながらマストを数えます。だれが灯台を建てたのかはだれも覚えていません。"),
    ROW("korean", 223, 188, 70,
        "어부들은 매일 아침 해가 뜨기 전에 항구를 떠나고, 오후에 돌아오면 시장은 신선한 청어를 사려는 사람들로 가득 "
        "찹니다. 아이들은 부두를 따라 "
        "뛰면서 돛대를 셉니다."),
    ROW("emoji", 117, 86, 38,
        "😀😃🎉🚀🔥❤️👍🏽🌍🐟⛵🏖️👩‍👩‍👧‍👦🇩🇪🇯🇵😂🥲🤖🧭"
        "🪝"
        "🛟"),
    ROW("mixed", 127, 66, 41,
        "Bitte übersetze: 我的船叫什么？ — \"What is my boat called?\" (на русском: «Как называется моя лодка?») 👍"),
#undef ROW
};

#endif
