namespace Exchange.Gateway.Operations;

/// <param name="ToDoEn">The next thing that an administrator does.</param>
sealed record AlarmWords(string En, string Vi, string ToDoEn, string ToDoVi)
{
    /// <summary>What an alarm says, whoever it concerns. docs/operations.md has the same table.</summary>
    public static AlarmWords Of(AlarmCode code) => code switch
    {
        AlarmCode.BreakerOpened => new("A channel to an office fails. Copies wait, or go by its next channel.", "Kênh đến một cơ quan bị lỗi. Văn bản chờ, hoặc đi theo kênh kế tiếp.",
            "Ask the office whether its side runs: exchange-gateway ping OFFICE, exchange-gateway admin queue. It is tried again by itself.", "Hỏi cơ quan xem hệ thống bên đó có chạy không: exchange-gateway ping OFFICE, exchange-gateway admin queue. Trục tự thử lại."),
        AlarmCode.BreakerClosed => new("The channel works again.", "Kênh đã hoạt động trở lại.", "Nothing.", "Không phải làm gì."),
        AlarmCode.FlashUndelivered => new("A flash dispatch (hỏa tốc) is not delivered yet.", "Văn bản hỏa tốc chưa đến nơi.",
            "Call the office now; exchange-gateway admin queue says what is in the way.", "Gọi ngay cho cơ quan nhận; exchange-gateway admin queue cho biết vướng ở đâu."),
        AlarmCode.ParcelDead => new("A copy was given up. Nothing of it is lost; its sender has a signed non-delivery.", "Một bản đã bị ngừng gửi. Không mất gì; nơi gửi đã có biên nhận không gửi được.",
            "See exchange-gateway admin dead; then redrive or discard.", "Xem exchange-gateway admin dead; rồi redrive hoặc discard."),
        AlarmCode.CertificateEnding => new("A certificate ends soon.", "Một chứng thư sắp hết hạn.",
            "Ask the CA for the next one now: exchange keys request for an office, docs/install.md for the gateway.", "Xin chứng thư mới ngay: exchange keys request cho cơ quan, docs/install.md cho trục."),
        AlarmCode.RevocationEnding => new("A revocation list ends soon; then every certificate of its CA is refused.", "Danh sách thu hồi sắp hết hạn; khi đó mọi chứng thư của CA này bị từ chối.",
            "Fetch the newest list of the CA: exchange-gateway activate --data DIR FILE.crl", "Lấy danh sách mới nhất của CA: exchange-gateway activate --data DIR FILE.crl"),
        AlarmCode.RevocationUnfetched => new("Revocation data cannot be fetched. What is here still counts until it ends, or until a level finds it too old.", "Không lấy được dữ liệu thu hồi. Dữ liệu hiện có vẫn dùng được đến khi hết hạn, hoặc đến khi quá cũ so với độ mật.",
            "Look at the CA's server and the way to it. It is tried again by itself; a list can also come as a file: exchange-gateway activate --data DIR FILE.crl", "Kiểm tra máy chủ của CA và đường truyền. Trục tự thử lại; có thể nạp tệp: exchange-gateway activate --data DIR FILE.crl"),
        AlarmCode.DiskLow => new("The disk of the data folder is nearly full; soon nothing new is taken in.", "Ổ đĩa dữ liệu sắp đầy; trục sắp ngừng nhận văn bản mới.",
            "Make room on it, or move what else is there. The gateway goes on by itself.", "Giải phóng ổ đĩa. Trục tự hoạt động tiếp."),
        AlarmCode.ClockUnsure => new("The clock was set while the gateway ran; embargoes and terms wait.", "Đồng hồ bị chỉnh trong khi trục đang chạy; lệnh hẹn giờ và thời hạn phải chờ.",
            "Look at the machine's clock and its time service, then start the gateway again.", "Kiểm tra đồng hồ và dịch vụ thời gian, rồi khởi động lại trục."),
        AlarmCode.LedgerBehind => new("Entries wait longer for a checkpoint than receipts promise.", "Bản ghi chờ điểm kiểm lâu hơn biên nhận đã hứa.",
            "Look at the log for the step \"checkpoint\", and at the guard's disk.", "Xem nhật ký bước \"checkpoint\" và ổ đĩa của guard."),
        AlarmCode.WitnessPending => new("Checkpoints wait for the cosignatures of enough witnesses. Nothing else waits for them.", "Điểm kiểm tra chưa đủ chữ ký của nhân chứng. Việc trao đổi văn bản không bị ảnh hưởng.",
            "See exchange-gateway admin witnesses; ask the witness's agency whether its server runs and watches this ledger's keys. It is asked again by itself.", "Xem exchange-gateway admin witnesses; hỏi cơ quan nhân chứng xem máy chủ có chạy và có theo dõi khóa của sổ này không. Trục tự hỏi lại."),
        AlarmCode.WitnessContradicts => new("A witness has a head of this ledger that does not fit to it: the ledger was forked or put back, or the witness is wrong.", "Nhân chứng giữ đầu sổ không khớp với sổ này: sổ đã bị rẽ nhánh hoặc khôi phục lùi, hoặc nhân chứng sai.",
            "Keep everything. Compare with the agency that runs the witness: exchange-witness show, exchange audit consistency. Tell the auditors.", "Giữ nguyên mọi thứ. Đối chiếu với cơ quan nhân chứng: exchange-witness show, exchange audit consistency. Báo kiểm toán."),
        AlarmCode.TimeStampPending => new("A checkpoint waits for its time-stamp for an hour. Nothing else waits for it, and nothing is lost: the next token covers all that is there by then.", "Điểm kiểm tra chờ dấu thời gian đã một giờ. Việc trao đổi văn bản không bị ảnh hưởng, không mất gì: dấu kế tiếp bao gồm mọi thứ đã có.",
            "See exchange-gateway admin timestamps; the log says what each authority did. Look at the way to them, at the certificate of the authority and the revocation list of its CA. They are asked again by themselves.", "Xem exchange-gateway admin timestamps; nhật ký cho biết từng máy chủ trả lời thế nào. Kiểm tra đường truyền, chứng thư của máy chủ dấu thời gian và danh sách thu hồi của CA. Trục tự hỏi lại."),
        AlarmCode.ErasurePending => new("An erasure has waited for its end for an hour: bytes of what was erased may still lie in the logs of store and index. Nobody is told anything of it any more.", "Việc xóa chờ hoàn tất đã một giờ: dữ liệu đã xóa có thể còn trong nhật ký của kho và chỉ mục. Không ai còn đọc được qua trục.",
            "End whatever reads the store for long beside the gateway: a backup, an export, exchange-gateway admin queue, a tool of others. Look at the room on the disk and, in the log, at the step \"erasures\". It is tried again every ten seconds.", "Dừng mọi việc đang đọc kho lâu bên cạnh trục: sao lưu, xuất dữ liệu, exchange-gateway admin queue, công cụ khác. Kiểm tra ổ đĩa và bước \"erasures\" trong nhật ký. Trục tự thử lại mười giây một lần."),
        AlarmCode.StartedWithTrouble => new("The gateway started and found work that needs somebody.", "Trục khởi động và thấy việc cần người xử lý.",
            "See exchange-gateway admin queue.", "Xem exchange-gateway admin queue."),
        _ => new("What was raised before is over.", "Sự cố đã báo trước đó đã hết.", "Nothing.", "Không phải làm gì."),
    };
}
